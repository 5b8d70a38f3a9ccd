import type { JobDefaults } from '../job/job-options.js';

/** Defaults of the jobs that items make, by job name. */
export type DefaultsOf = (jobNames: readonly string[]) => Promise<ReadonlyMap<string, JobDefaults>>;

/**
 * The defaults of jobs, read before the transaction. Reading them during the transaction, on another connection, would
 * keep its items locked for longer.
 */
export class KnownDefaults {
  readonly #byName = new Map<string, JobDefaults>();
  /** Names already looked up, including unknown ones. */
  readonly #asked = new Set<string>();

  constructor(private readonly defaultsOf: DefaultsOf) {}

  get byName(): ReadonlyMap<string, JobDefaults> {
    return this.#byName;
  }

  /** Returns those of these names that were not looked up yet. */
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
