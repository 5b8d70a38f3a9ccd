import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import ms from 'ms';
import type { AttemptEnded } from '../events.js';
import { LOST_MESSAGE, normalisedMessage } from '../job/failure-key.js';
import type { Logger } from '../log.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { withinTime } from '../mongo/within-time.js';
import { byKindSeen, type FailureDocument, isOther, otherKey } from './failure-document.js';

/** Maximum number of groups of a kind that one process writes at a time. The rest are counted together. */
const MAX_AT_A_TIME = 20;

/**
 * Maximum number of groups of a kind. A new group replaces one that was not seen for a day. If all were seen, its failures
 * count in the group of the others.
 */
const MAX_PER_KIND = 100;
const REPLACED_AFTER_MS = ms('1 day');

/** How long a group is kept after it was last seen. */
const KEPT_MS = ms('30 days');

const HOUR_MS = 60 * 60 * 1000;
const MAX_SAMPLE = 500;
const MAX_WAIT_MS = 1_000;

interface Counted {
  readonly key: string;
  readonly jobName: string;
  readonly message: string;
  sample: string;
  count: number;
}

/**
 * Counts failed attempts by group, and writes the counts together with the statistics. Counts are lost if they cannot be
 * written.
 */
export class FailureTally {
  #counted = new Map<string, Counted>();
  readonly #kinds = new Map<string, number>();

  constructor(
    private readonly failures: Collection<FailureDocument>,
    private readonly log: Logger,
  ) {}

  count({ jobName, outcome, error, failureKey }: AttemptEnded): void {
    const hasFailed = outcome === 'errors' || outcome === 'retried' || outcome === 'recovered';
    if (!hasFailed || failureKey === undefined || error === undefined) return;
    const key = this.#counted.has(failureKey) ? failureKey : this.#keyWithRoom(jobName, failureKey);
    const isOther = key !== failureKey;
    const counted = this.#counted.get(key) ?? {
      key,
      jobName,
      message: isOther ? OTHER_MESSAGE : outcome === 'recovered' ? LOST_MESSAGE : normalisedMessage(error),
      sample: '',
      count: 0,
    };
    counted.count += 1;
    counted.sample = error.slice(0, MAX_SAMPLE).toWellFormed();
    this.#counted.set(key, counted);
  }

  /** Writes the counts. Costs nothing without failures, else two commands for all groups. Never rejects. */
  async write(): Promise<void> {
    if (this.#counted.size === 0) return;
    const counted = [...this.#counted.values()];
    this.#counted = new Map();
    this.#kinds.clear();
    try {
      await withinTime(MAX_WAIT_MS, this.#write(counted));
    } catch (error) {
      this.log.warn('Groups of failures could not be written', { error: String(error) });
    }
  }

  #keyWithRoom(jobName: string, key: string): string {
    const number = this.#kinds.get(jobName) ?? 0;
    if (number >= MAX_AT_A_TIME) return otherKey(jobName);
    this.#kinds.set(jobName, number + 1);
    return key;
  }

  async #write(counted: readonly Counted[]): Promise<void> {
    const kinds = [...new Set(counted.map(({ jobName }) => jobName))];
    const known = await this.#findKnown(kinds);
    const writes = kinds.flatMap((kind) =>
      writesOf(
        counted.filter(({ jobName }) => jobName === kind),
        known.filter(({ jobName }) => jobName === kind),
      ),
    );
    await this.failures.bulkWrite(writes, { ordered: false });
  }

  /** Reads the keys of known groups from an index, the longest unseen first. */
  #findKnown(kinds: readonly string[]): Promise<Known[]> {
    const projection = { jobName: 1, lastSeen: 1 };
    const limit = kinds.length * (2 * MAX_PER_KIND);
    return byIndex(this.failures, byKindSeen, (hint) =>
      this.failures
        .find<Known>({ jobName: { $in: [...kinds] } }, { projection, limit, batchSize: limit + 1, ...hint })
        .toArray(),
    );
  }
}

type Known = Pick<FailureDocument, '_id' | 'jobName' | 'lastSeen'>;

const OTHER_MESSAGE = 'other failures, whose messages differ too much to be told apart';

/** Returns the statements for the groups of one kind. */
function writesOf(
  counted: readonly Counted[],
  known: readonly Known[],
): AnyBulkWriteOperation<FailureDocument>[] {
  const ids = new Set(known.map(({ _id }) => _id));
  const isNew = ({ key }: Counted) => !ids.has(key) && !isOther(key);
  const added = counted.filter(isNew);
  const unseenSince = Date.now() - REPLACED_AFTER_MS;
  const excess = Math.max(0, known.length + added.length - MAX_PER_KIND);
  const replaced = known
    .toSorted((one, other) => one.lastSeen.getTime() - other.lastSeen.getTime())
    .filter(({ lastSeen }) => lastSeen.getTime() < unseenSince)
    .slice(0, excess);
  const room = Math.max(0, MAX_PER_KIND - known.length + replaced.length);
  const without = new Set(added.slice(room));
  const written = together(counted, without);
  return [
    ...replaced.map(({ _id, lastSeen }) => ({ deleteOne: { filter: { _id, lastSeen }, ...byId } })),
    ...written.map((one) => ({
      updateOne: { filter: { _id: one.key }, update: addition(one), upsert: true, ...byId },
    })),
  ];
}

/** Puts the failures without room into one group. */
function together(counted: readonly Counted[], without: ReadonlySet<Counted>): readonly Counted[] {
  const [first] = without;
  if (!first) return counted;
  const key = otherKey(first.jobName);
  const others = counted.filter((one) => without.has(one) || one.key === key);
  const count = others.reduce((sum, one) => sum + one.count, 0);
  const other = { ...first, key, message: OTHER_MESSAGE, count };
  return [...counted.filter((one) => !others.includes(one)), other];
}

function addition({ jobName, message, sample, count }: Counted): Document[] {
  const now = { $subtract: ['$$NOW', new Date(0)] };
  const hour = { $subtract: ['$$NOW', { $mod: [now, HOUR_MS] }] };
  const hours = { $ifNull: ['$hours', []] };
  const those = (cond: Document) => ({ $filter: { input: hours, as: 'hour', cond } });
  const before = {
    $sum: { $map: { input: those({ $eq: ['$$hour.at', '$thisHour'] }), as: 'hour', in: '$$hour.count' } },
  };
  const recent = those({
    $and: [
      { $gt: ['$$hour.at', { $subtract: ['$thisHour', 24 * HOUR_MS] }] },
      { $ne: ['$$hour.at', '$thisHour'] },
    ],
  });
  return [
    { $set: { thisHour: hour } },
    {
      $set: {
        jobName: { $literal: jobName },
        message: { $literal: message },
        sample: { $literal: sample },
        count: { $add: [{ $ifNull: ['$count', 0] }, count] },
        firstSeen: { $ifNull: ['$firstSeen', '$$NOW'] },
        lastSeen: '$$NOW',
        hours: { $concatArrays: [recent, [{ at: '$thisHour', count: { $add: [before, count] } }]] },
        expireAt: { $add: ['$$NOW', KEPT_MS] },
      },
    },
    { $unset: 'thisHour' },
  ];
}
