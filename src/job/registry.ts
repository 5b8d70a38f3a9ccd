import type { Collection } from 'mongodb';
import * as z from 'zod';
import { type AddRole, type Role, suffices } from '../access/role.js';
import { ForbiddenError, UnknownJobNameError, ValidationError } from '../errors.js';
import type { Events } from '../events.js';
import type { Logger } from '../log.js';
import type { PageFilter } from '../page-filter.js';
import { validate, validateNow } from '../validate.js';
import { isJobContract, isJobFactory, type JobFactory, jobNameSchema, NO_CODE } from './define-job.js';
import { addRoleOf, type JobFactoryDocument, toFactoryDocument } from './factory-document.js';
import { fromJsonSchema } from './input-schema.js';
import type { JobContract } from './job-contract.js';
import type { JobDefaults } from './job-options.js';
import {
  findJobFactories,
  findJobFactoryNames,
  type JobFactoryInfo,
  type JobFactoryPage,
  listJobFactories,
  toInfo,
} from './list-job-factories.js';
import { Middlewares } from './middleware.js';
import { storeJobFactories } from './store-job-factories.js';

/** A kind of job that can be added here: by this process's code, or by what another process stored. */
export interface AddableJob {
  readonly defaults: JobDefaults;
  /** @throws ValidationError */
  checkInput(input: unknown): Promise<void>;
}

const entriesSchema = z.array(
  z.tuple([
    jobNameSchema,
    z.custom(isJobFactory, {
      error: ({ input }) => (isJobContract(input) ? NO_CODE : 'expected a job factory, made by defineJob'),
    }),
  ]),
);

/** Kinds of jobs by name, as a processor is given them. */
export const jobsSchema = z.record(
  jobNameSchema,
  z.custom<JobContract>(isJob, 'expected a job factory or a contract, made by defineJob'),
);

/** Whether this is a job factory or a contract. Never throws. */
export function isJob(value: unknown): value is JobContract {
  return isJobFactory(value) || isJobContract(value);
}

/** The job factories of this process, and those that others stored. */
export class JobRegistry {
  /** The kinds of jobs that can be run here. */
  readonly #factories = new Map<string, JobFactory>();
  /** What is done around adding and running jobs. */
  readonly middlewares: Middlewares;
  /** The kinds of jobs that can be added here without asking the database: those above, and contracts. */
  readonly #known = new Map<string, JobContract>();
  /** Those of the constructor; what became of storing them, once it was tried. */
  readonly #declared: readonly (readonly [name: string, job: JobContract])[];
  #stored: Promise<void> | undefined;

  /** @param declared kinds of jobs that are known from the start; `storeDeclared` stores them */
  constructor(
    private readonly jobFactories: Collection<JobFactoryDocument>,
    declared: Readonly<Record<string, JobContract>>,
    private readonly log: Logger,
    /** Told of the jobs that scheduler items make. */
    readonly events: Events,
  ) {
    this.middlewares = new Middlewares(log);
    this.#declared = Object.entries(declared);
    for (const [name, job] of this.#declared) this.#learn(name, job);
  }

  /** The names this process has the code of. */
  get names(): string[] {
    return [...this.#factories.keys()];
  }

  get(name: string): JobFactory | undefined {
    return this.#factories.get(name);
  }

  /** @throws ValidationError for a bad name, or for what `defineJob` did not make; nothing is registered then */
  async register(entries: readonly (readonly [name: string, factory: JobFactory])[]): Promise<void> {
    validateNow(entriesSchema, entries, 'The list of job factories');
    await this.#store(entries);
    for (const [name, factory] of entries) this.#learn(name, factory);
  }

  /** Stores the kinds of jobs of the constructor, once; again after a failure. @throws what the driver throws */
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

  #learn(name: string, job: JobContract): void {
    this.#known.set(name, job);
    if (isJobFactory(job)) this.#factories.set(name, job);
  }

  #store(entries: readonly (readonly [name: string, job: JobContract])[]): Promise<void> {
    const documents = entries.map(([name, job]) => toFactoryDocument(name, job));
    return storeJobFactories(this.jobFactories, documents, this.log);
  }

  /** Some of what can be added by name, stored by whichever process: see `Factories.list`. */
  list(filter?: PageFilter): Promise<JobFactoryPage> {
    return listJobFactories(this.jobFactories, filter);
  }

  /** Returns what is stored of a factory; undefined when nobody has stored it. */
  async info(name: string): Promise<JobFactoryInfo | undefined> {
    const [stored] = await findJobFactories(this.jobFactories, [String(name)]);
    return stored && toInfo(stored);
  }

  /** The names of what can be added: the first 1000. */
  async storedNames(): Promise<string[]> {
    return findJobFactoryNames(this.jobFactories);
  }

  /**
   * Whether a caller of this role may have a job of this name: one that exists, or is scheduled.
   *
   * @param jobName asked only when the answer depends on it
   * @throws ForbiddenError, and what `jobName` throws
   */
  async requireMayAdd(jobName: () => Promise<string> | string, callerRole: Role | undefined): Promise<void> {
    if (!isLimited(callerRole)) return;
    const name = await jobName();
    const here = this.#known.get(name);
    const [known] = here ? [here] : await findJobFactories(this.jobFactories, [name]);
    if (known) requireRole(name, addRoleOf(known), callerRole);
  }

  /** Returns the names of which a caller of this role may have jobs. See `requireMayAdd`. */
  async mayAdd(names: readonly string[], callerRole: Role | undefined): Promise<ReadonlySet<string>> {
    if (!isLimited(callerRole)) return new Set(names);
    const missing = names.filter((name) => !this.#known.has(name));
    const stored = missing.length === 0 ? [] : await findJobFactories(this.jobFactories, missing);
    const roles = new Map([
      ...stored.map((known) => [known._id, addRoleOf(known)] as const),
      ...[...this.#known].map(([name, { addRole }]) => [name, addRole] as const),
    ]);
    return new Set(names.filter((name) => suffices(callerRole, roles.get(name) ?? callerRole)));
  }

  /** The defaults of those of these names that are known here or stored. */
  readonly defaultsOf = async (names: readonly string[]): Promise<ReadonlyMap<string, JobDefaults>> => {
    const missing = names.filter((name) => !this.#known.has(name));
    const stored = missing.length === 0 ? [] : await findJobFactories(this.jobFactories, missing);
    return new Map([
      ...stored.map(({ _id, defaults }) => [_id, defaults] as const),
      ...[...this.#known].map(([name, { defaults }]) => [name, defaults] as const),
    ]);
  };

  /**
   * @param job a name; a factory, which stands for its name; or a contract, by which the job is added as it is
   * @param callerRole of whom it is to be added for; undefined for code
   * @throws ForbiddenError, or UnknownJobNameError that lists the known names
   */
  async find(job: string | JobContract, callerRole?: Role): Promise<AddableJob> {
    const name = nameOf(job);
    const known = isJobContract(job) ? job : this.#known.get(name);
    if (known) {
      requireRole(name, known.addRole, callerRole);
      return {
        defaults: known.defaults,
        checkInput: async (input) => {
          await known.parseInput(input);
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
}

/** Returns the name under which a job is added. */
export function nameOf(job: string | JobContract): string {
  return typeof job === 'string' ? job : job?.name;
}

/** Not `admin`, who may anything, nor code. */
function isLimited(callerRole: Role | undefined): callerRole is Exclude<Role, 'admin'> {
  return callerRole !== undefined && callerRole !== 'admin';
}

/** @throws ForbiddenError */
function requireRole(jobName: string, required: AddRole, held: Role | undefined): void {
  if (isLimited(held) && !suffices(held, required)) throw new ForbiddenError(jobName, required, held);
}

const CANNOT_BE_CHECKED =
  "it cannot be checked here, for the job's schema has no JSON Schema that can be read: give it one (toStandardJsonSchema for valibot), or add the job where its code is registered";

function asAddable({ _id: name, defaults, inputSchema, inputOptional }: JobFactoryDocument): AddableJob {
  const subject = `Input of job '${name}'`;
  return {
    defaults,
    checkInput: async (input) => {
      const schema = fromJsonSchema(inputSchema);
      if (schema === undefined)
        throw new ValidationError(subject, [{ path: '', message: CANNOT_BE_CHECKED }]);
      await validate(inputOptional ? schema.optional() : schema, input, subject);
    },
  };
}
