import type { KnownKind } from '../job/registry.js';

/** The kinds of the jobs that items make, by job name. */
export type KindsOf = (jobNames: readonly string[]) => Promise<ReadonlyMap<string, KnownKind>>;

/**
 * Keeps the kinds of jobs, read before the transaction. Reading them during the transaction, on another connection, would lock
 * its items for longer.
 */
export class KnownKinds {
  readonly #byName = new Map<string, KnownKind>();
  /** Names already looked up, including unknown ones. */
  readonly #asked = new Set<string>();

  constructor(private readonly kindsOf: KindsOf) {}

  get byName(): ReadonlyMap<string, KnownKind> {
    return this.#byName;
  }

  /** Returns the names among these that were not looked up yet. */
  lacking(jobNames: readonly string[]): string[] {
    return [...new Set(jobNames)].filter((name) => !this.#asked.has(name));
  }

  async learn(jobNames: readonly string[]): Promise<void> {
    const lacking = this.lacking(jobNames);
    if (lacking.length === 0) return;
    for (const [name, kind] of await this.kindsOf(lacking)) {
      this.#byName.set(name, kind);
      this.#asked.add(name);
    }
    for (const name of lacking) this.#asked.add(name);
  }
}
