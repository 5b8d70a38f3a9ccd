import type { Collection } from 'mongodb';
import * as z from 'zod';
import { type AddRole, type Role, suffices } from '../access/role.js';
import { ForbiddenError, UnknownJobNameError, ValidationError } from '../errors.js';
import type { Events } from '../events.js';
import type { Logger } from '../log.js';
import type { PageFilter } from '../page-filter.js';
import { validate, validateNow } from '../validate.js';
import { isJobFactory, type JobFactory, jobNameSchema } from './define-job.js';
import { addRoleOf, type JobFactoryDocument, toFactoryDocument } from './factory-document.js';
import { fromJsonSchema } from './input-schema.js';
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
  z.tuple([jobNameSchema, z.custom(isJobFactory, 'expected a job factory, made by defineJob')]),
);

/** The job factories of this process, and those that others stored. */
export class JobRegistry {
  readonly #factories = new Map<string, JobFactory>();
  /** What is done around adding and running jobs. */
  readonly middlewares: Middlewares;

  constructor(
    private readonly jobFactories: Collection<JobFactoryDocument>,
    private readonly log: Logger,
    /** Told of the jobs that scheduler items make. */
    readonly events: Events,
  ) {
    this.middlewares = new Middlewares(log);
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
    await storeJobFactories(
      this.jobFactories,
      entries.map(([name, factory]) => toFactoryDocument(name, factory)),
      this.log,
    );
    for (const [name, factory] of entries) this.#factories.set(name, factory);
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
    const here = this.#factories.get(name);
    const [known] = here ? [here] : await findJobFactories(this.jobFactories, [name]);
    if (known) requireRole(name, addRoleOf(known), callerRole);
  }

  /** Returns the names of which a caller of this role may have jobs. See `requireMayAdd`. */
  async mayAdd(names: readonly string[], callerRole: Role | undefined): Promise<ReadonlySet<string>> {
    if (!isLimited(callerRole)) return new Set(names);
    const missing = names.filter((name) => !this.#factories.has(name));
    const stored = missing.length === 0 ? [] : await findJobFactories(this.jobFactories, missing);
    const roles = new Map([
      ...stored.map((known) => [known._id, addRoleOf(known)] as const),
      ...[...this.#factories].map(([name, { addRole }]) => [name, addRole] as const),
    ]);
    return new Set(names.filter((name) => suffices(callerRole, roles.get(name) ?? callerRole)));
  }

  /** The defaults of those of these names that are known here or stored. */
  readonly defaultsOf = async (names: readonly string[]): Promise<ReadonlyMap<string, JobDefaults>> => {
    const missing = names.filter((name) => !this.#factories.has(name));
    const stored = missing.length === 0 ? [] : await findJobFactories(this.jobFactories, missing);
    return new Map([
      ...stored.map(({ _id, defaults }) => [_id, defaults] as const),
      ...[...this.#factories].map(([name, { defaults }]) => [name, defaults] as const),
    ]);
  };

  /**
   * @param callerRole of whom it is to be added for; undefined for code
   * @throws ForbiddenError, or UnknownJobNameError that lists the known names
   */
  async find(name: string, callerRole?: Role): Promise<AddableJob> {
    const factory = this.#factories.get(name);
    if (factory) {
      requireRole(name, factory.addRole, callerRole);
      return {
        defaults: factory.defaults,
        checkInput: async (input) => {
          await factory.parseInput(input);
        },
      };
    }
    const [stored] = await findJobFactories(this.jobFactories, [String(name)]);
    if (stored) {
      requireRole(name, addRoleOf(stored), callerRole);
      return asAddable(stored);
    }
    const known = new Set([...this.names, ...(await this.storedNames())]);
    throw new UnknownJobNameError(name, [...known].sort());
  }
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
