import type { Collection } from 'mongodb';
import { anyMoment } from '../mongo/any-moment.js';
import { byIndex } from '../mongo/by-index.js';
import { type LimitDocument, type LimitSetting, settingIndex } from './limit-document.js';

/** How long a read is trusted. So a change is noticed after at most this time, as a paused queue is. */
const READ_AGAIN_MS = 5_000;

/** Number of settings in one batch. More cost further commands. */
const BATCH_SIZE = 1000;

/**
 * Holds the settings that people have made for limits. All are read together, at most every 5 seconds, and only by a
 * process that runs jobs with limits.
 */
export class LimitSettings {
  readonly #byKey = new Map<string, LimitSetting>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly limits: Collection<LimitDocument>) {}

  /** Makes the next `refresh` read again. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /** Reads the settings if the last read is too old. @throws errors of the driver */
  async refresh(): Promise<void> {
    if (performance.now() - this.#readAt < READ_AGAIN_MS) return;
    const found = await findSettings(this.limits);
    this.#byKey.clear();
    this.#learn(found);
    this.#readAt = performance.now();
  }

  /** Takes over the settings that the caller has just read for these limits. Some of the limits may have no setting. */
  learn(keys: readonly string[], found: readonly FoundSetting[]): void {
    for (const key of keys) this.#byKey.delete(key);
    this.#learn(found);
  }

  /** Returns the number of places of a limit. None while it is paused. @param byCode the number in the code */
  placesOf(key: string, byCode: number): number {
    const { max = byCode, paused } = this.#byKey.get(key) ?? {};
    return paused ? 0 : max;
  }

  /**
   * Whether a person has set or paused the limit, or took that back while jobs waited. More jobs may then run than it has
   * places.
   */
  isSet(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Whether what a person has set still holds. */
  holds(key: string): boolean {
    const { max, paused } = this.#byKey.get(key) ?? {};
    return max !== undefined || paused !== undefined;
  }

  #learn(found: readonly FoundSetting[]): void {
    for (const { _id, ...setting } of found) if (setting.set) this.#byKey.set(_id, setting);
  }
}

/** A setting as it was read. */
export type FoundSetting = Pick<LimitDocument, '_id' | 'max' | 'paused' | 'set'>;

/** The fields of a `FoundSetting`. */
export const settingFields = { max: 1, paused: 1, set: 1 } as const;

function findSettings(limits: Collection<LimitDocument>): Promise<FoundSetting[]> {
  const options = { projection: settingFields, batchSize: BATCH_SIZE };
  return byIndex(limits, settingIndex, (hint) =>
    limits.find<FoundSetting>({ set: anyMoment }, { ...options, ...hint }).toArray(),
  );
}
