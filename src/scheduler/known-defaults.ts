import type { JobDefaults } from '../job/job-options.js';

/** Defaults of the jobs that items make, by job name. */
export type DefaultsOf = (jobNames: readonly string[]) => Promise<ReadonlyMap<string, JobDefaults>>;

/**
 * The defaults of jobs, as they were read before a transaction: what else is read within it keeps it open for longer, on
 * another connection, and items locked meanwhile.
 */
export class KnownDefaults {
  readonly #byName = new Map<string, JobDefaults>();
  /** Also those that nobody knows. */
  readonly #asked = new Set<string>();

  constructor(private readonly defaultsOf: DefaultsOf) {}

  get byName(): ReadonlyMap<string, JobDefaults> {
    return this.#byName;
  }

  /** Which of these names were not asked for yet. */
  lacking(jobNames: readonly string[]): string[] {
    return [...new Set(jobNames)].filter((name) => !this.#asked.has(name));
  }

  async learn(jobNames: readonly string[]): Promise<void> {
    const lacking = this.lacking(jobNames);
    if (lacking.length === 0) return;
    for (const [name, defaults] of await this.defaultsOf(lacking)) {
      this.#byName.set(name, defaults);
      this.#asked.add(name);
    }
    for (const name of lacking) this.#asked.add(name);
  }
}
