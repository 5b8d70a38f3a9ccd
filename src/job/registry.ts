import type { Collection } from 'mongodb';
import * as z from 'zod';
import { type AddRole, type Role, suffices } from '../access/role.js';
import { ForbiddenError, UnknownJobNameError, ValidationError } from '../errors.js';
import type { Events } from '../events.js';
import type { Logger } from '../log.js';
import type { PageFilter } from '../page-filter.js';
import { validate } from '../validate.js';
import { isJobContract, isJobFactory, type JobFactory } from './define-job.js';
import {
  addRoleOf,
  type JobFactoryDocument,
  storedOrderLimit,
  toFactoryDocument,
} from './factory-document.js';
import { type JobLimit, limitsOf } from './flow-rules.js';
import { fromJsonSchema } from './input-schema.js';
import type { JobContract } from './job-contract.js';
import type { JobDefaults } from './job-options.js';
import { jobsByName } from './jobs-by-name.js';
import {
  findJobFactories,
  findJobFactoryNames,
  type JobFactoryInfo,
  type JobFactoryPage,
  listJobFactories,
  toInfo,
} from './list-job-factories.js';
import { Middlewares } from './middleware.js';
import { refuseMasks } from './redacted-paths.js';
import type { Registration } from './registration.js';
import { hidingIn } from './secrets.js';
import { storeJobFactories } from './store-job-factories.js';
import type { UniqueRules } from './unique-rules.js';

/** A kind of job that can be added here, known from this process's code or from a stored definition. */
export interface AddableJob {
  readonly defaults: JobDefaults;
  /** The unique keys of its jobs. Absent if they have none by default. */
  readonly keys?: UniqueRules | undefined;
  /** Paths into the input by whose values its jobs can be found. */
  readonly searchable?: readonly string[] | undefined;
  /** Paths into the input whose values are not shown. */
  readonly redact?: readonly string[] | undefined;
  /** Checks an input. @throws ValidationError */
  checkInput(input: unknown): Promise<CheckedInput>;
}

/** A valid input. */
export interface CheckedInput {
  /** The input as the code of the job gets it. Undefined if the code is elsewhere. */
  readonly parsed?: unknown;
  /** The limits of a job with this input, as far as they are known here. */
  readonly limits: readonly JobLimit[];
}

/** Schema of the kinds of jobs by name, as given to a processor. */
export const jobsSchema = jobsByName(
  z.custom<JobContract>(isJob, 'expected a job factory or a contract, made by defineJob'),
);

/** Returns whether a value is a job factory or a contract. Never throws. */
export function isJob(value: unknown): value is JobContract {
  return isJobFactory(value) || isJobContract(value);
}

/** The job factories of this process, and those that other processes stored. */
export class JobRegistry {
  /** Kinds of jobs that can run here. */
  readonly #factories = new Map<string, JobFactory>();
  /** Middleware around adding and running jobs. */
  readonly middlewares: Middlewares;
  /** Kinds of jobs that can be added here without a database read: factories and contracts. */
  readonly #known = new Map<string, JobContract>();
  /** The jobs given to the constructor, and the promise of storing them, once that has begun. */
  readonly #declared: readonly (readonly [name: string, job: JobContract])[];
  #stored: Promise<void> | undefined;

  /** @param declared kinds of jobs known from the start. `storeDeclared` stores them */
  constructor(
    private readonly jobFactories: Collection<JobFactoryDocument>,
    declared: Readonly<Record<string, JobContract>>,
    private readonly log: Logger,
    /** Receives events about the jobs that scheduler items make. */
    readonly events: Events,
  ) {
    this.middlewares = new Middlewares(log);
    this.#declared = Object.entries(declared);
    for (const [name, job] of this.#declared) this.#learn(name, job);
  }

  /** The names of jobs whose code this process has. */
  get names(): string[] {
    return [...this.#factories.keys()];
  }

  /** The names of jobs that take turns, whose code this process has. */
  get inTurns(): string[] {
    return [...this.#factories].filter(([, { flow }]) => flow?.fairness).map(([name]) => name);
  }

  get(name: string): JobFactory | undefined {
    return this.#factories.get(name);
  }

  /** Stores factories, then registers them. Registers nothing if storing fails. @throws the driver's errors */
  async register(entries: readonly Registration[]): Promise<void> {
    await this.#store(entries);
    for (const [name, factory] of entries) this.#learn(name, factory);
  }

  /** Stores the jobs given to the constructor. Does so once, or again after a failure. @throws the driver's errors */
  async storeDeclared(): Promise<void> {
    if (this.#declared.length === 0) return;
    this.#stored ??= this.#store(this.#declared);
    try {
      await this.#stored;
    } catch (error) {
      this.#stored = undefined;
      throw error;
    }
  }

  /** Stores all registered kinds again, for a database that has lost them. @throws the driver's errors */
  async storeAgain(): Promise<void> {
    if (this.#known.size > 0) await this.#store([...this.#known]);
  }

  #learn(name: string, job: JobContract): void {
    this.#known.set(name, job);
    if (isJobFactory(job)) this.#factories.set(name, job);
  }

  #store(entries: readonly (readonly [name: string, job: JobContract])[]): Promise<void> {
    const documents = entries.map(([name, job]) => toFactoryDocument(name, job));
    return storeJobFactories(this.jobFactories, documents, this.log);
  }

  /** Returns a page of the kinds of jobs that can be added by name. See `Factories.list`. */
  list(filter?: PageFilter): Promise<JobFactoryPage> {
    return listJobFactories(this.jobFactories, filter);
  }

  /** Returns the stored description of a factory. Undefined if it is not stored. */
  async info(name: string): Promise<JobFactoryInfo | undefined> {
    const [stored] = await findJobFactories(this.jobFactories, [String(name)]);
    return stored && toInfo(stored);
  }

  /** Returns the names of the first 1000 kinds of jobs that can be added. */
  async storedNames(): Promise<string[]> {
    return findJobFactoryNames(this.jobFactories);
  }

  /**
   * Checks that a role may add or schedule a job of this name.
   *
   * @param jobName returns the name. Called only if the role is limited
   * @throws ForbiddenError, and errors of `jobName`
   */
  async requireMayAdd(jobName: () => Promise<string> | string, callerRole: Role | undefined): Promise<void> {
    if (!isLimited(callerRole)) return;
    const name = await jobName();
    const here = this.#known.get(name);
    const [known] = here ? [here] : await findJobFactories(this.jobFactories, [name]);
    if (known) requireRole(name, addRoleOf(known), callerRole);
  }

  /** Returns the names whose jobs this role may add. See `requireMayAdd`. */
  async mayAdd(names: readonly string[], callerRole: Role | undefined): Promise<ReadonlySet<string>> {
    if (!isLimited(callerRole)) return new Set(names);
    const stored = await this.#findUnknown(names);
    const roles = new Map([
      ...stored.map((known) => [known._id, addRoleOf(known)] as const),
      ...[...this.#known].map(([name, { addRole }]) => [name, addRole] as const),
    ]);
    return new Set(names.filter((name) => suffices(callerRole, roles.get(name) ?? callerRole)));
  }

  /** Returns the kinds of jobs with these names that are known here or stored. */
  readonly kindsOf = async (names: readonly string[]): Promise<ReadonlyMap<string, KnownKind>> => {
    const stored = await this.#findUnknown(names);
    return new Map([
      ...stored.map((kind) => [kind._id, toKind(kind)] as const),
      ...[...this.#known].map(([name, kind]) => [name, toKind(kind)] as const),
    ]);
  };

  /** Returns the redacted paths of these kinds of jobs. Nothing for a kind that is neither known here nor stored. */
  async redactionsOf(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const kinds = await this.kindsOf([...new Set(names)]);
    return new Map([...kinds].map(([name, { redact = [] }]) => [name, redact]));
  }

  /** Finds the stored descriptions of the kinds of jobs that this process does not know. */
  async #findUnknown(names: readonly string[]): Promise<JobFactoryDocument[]> {
    const missing = names.filter((name) => !this.#known.has(name));
    return missing.length === 0 ? [] : findJobFactories(this.jobFactories, missing);
  }

  /**
   * Finds a kind of job to be added.
   *
   * @param job a name, a factory (which stands for its name), or a contract (which also checks the input)
   * @param callerRole role of the person for whom the job is added, or undefined for code
   * @throws ForbiddenError, or UnknownJobNameError that lists the known names
   */
  async find(job: string | JobContract, callerRole?: Role): Promise<AddableJob> {
    const name = nameOf(job);
    const known = isJobContract(job) ? job : this.#known.get(name);
    if (known) {
      requireRole(name, known.addRole, callerRole);
      return {
        defaults: known.defaults,
        keys: known.keys,
        searchable: known.searchable,
        redact: known.redact,
        checkInput: async (input) => {
          refuseMasks(input, known.redact ?? [], `Input of job '${name}'`);
          const parsed = await known.parseInput(input);
          const limits = known.flow ? limitsOf(name, known.flow, parsed).limits : [];
          return { parsed, limits };
        },
      };
    }
    const [stored] = await findJobFactories(this.jobFactories, [String(name)]);
    if (stored) {
      requireRole(name, addRoleOf(stored), callerRole);
      return asAddable(stored);
    }
    const names = new Set([...this.#known.keys(), ...(await this.storedNames())]);
    throw new UnknownJobNameError(name, [...names].sort());
  }

  /** Returns the schemas of a kind of jobs, as far as they are known here. */
  schemasOf(job: string | JobContract): KnownSchemas {
    return (isJobContract(job) ? job : this.#known.get(nameOf(job))) ?? {};
  }
}

/** Properties that the jobs of a kind have in common. */
export type KnownKind = Pick<JobContract, 'defaults' | 'searchable' | 'redact'>;

function toKind({ defaults, searchable, redact }: KnownKind): KnownKind {
  return { defaults, ...(searchable && { searchable }), ...(redact && { redact }) };
}

/** The schemas of a kind of jobs whose contract is known. */
export type KnownSchemas = Partial<Pick<JobContract, 'input' | 'output'>>;

/** Returns the name under which a job is added. */
export function nameOf(job: string | JobContract): string {
  return typeof job === 'string' ? job : job?.name;
}

/** Returns whether a role is limited. `admin` and code may do anything. */
function isLimited(callerRole: Role | undefined): callerRole is Exclude<Role, 'admin'> {
  return callerRole !== undefined && callerRole !== 'admin';
}

/** Checks that a role suffices. @throws ForbiddenError */
function requireRole(jobName: string, required: AddRole, held: Role | undefined): void {
  if (isLimited(held) && !suffices(held, required)) throw new ForbiddenError(jobName, required, held);
}

const CANNOT_BE_CHECKED =
  "it cannot be checked here, for the job's schema has no JSON Schema that can be read: give it one (toStandardJsonSchema for valibot), or add the job where its code is registered";

function asAddable({
  _id: name,
  defaults,
  keys,
  inputSchema,
  inputOptional,
  ordering,
  searchable,
  redact = [],
}: JobFactoryDocument): AddableJob {
  const subject = `Input of job '${name}'`;
  const schema = fromJsonSchema(inputSchema);
  return {
    defaults,
    keys,
    searchable,
    redact,
    checkInput: async (input) => {
      if (schema === undefined)
        throw new ValidationError(subject, [{ path: '', message: CANNOT_BE_CHECKED }]);
      refuseMasks(input, redact, subject);
      await hidingIn(redact, input, () =>
        validate(inputOptional ? schema.optional() : schema, input, subject),
      );
      return { limits: ordering ? [storedOrderLimit(name, ordering, input)] : [] };
    },
  };
}
