import type { Collection } from 'mongodb';
import ms from 'ms';
import { byKindSeen, type FailureDocument, isOther } from '../failure/failure-document.js';
import { byFailure } from '../job/indexes.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { readSteps } from '../statistics/ranges.js';
import {
  HOUR_MS,
  MAX_NAMES,
  MINUTE_MS,
  nameKey,
  nameOfKey,
  type StatisticsDocument,
} from '../statistics/statistics-document.js';
import type { Counted } from '../statistics/sums.js';
import {
  certainShareOf,
  failingSince,
  type Rate,
  type RateAt,
  rateOf,
  shareOf,
  sumOf,
} from './error-rate.js';
import { findingsOf, MAX_FOUND, type VerdictFinding } from './finding.js';
import { before, type Situation } from './situation.js';

/**
 * Duration of the time that is judged. It is long enough for some attempts of most kinds, and short enough to show soon that a
 * failure is over.
 */
const WINDOW_MS = ms('15m');

/** Duration of the time to compare with. */
const DAY_MS = ms('1d');
const HOURS = 24;
const MINUTES = 60;

/**
 * Minimum number of failures of a finding. Fewer failures are no reason to wake anybody. They are listed among the failures,
 * and their jobs are retried.
 */
const MIN_FAILED = 5;

/** Share of failures that is bad, whatever the share of the day. */
const BAD = 0.5;

/** Share of failures that is bad if the share of the day was much lower. */
const NOTICEABLE = 0.1;

/** How many times the share of the day is much lower. */
const TIMES_WORSE = 2;

/** Maximum number of groups of failures to read. */
const MAX_GROUPS = 200;

/** A kind of jobs that fails too often. */
interface Failing extends Rate {
  readonly jobName: string;
  readonly certainShare: number;
}

/**
 * Finds kinds of jobs whose attempts fail too often: in the last 15 minutes, most failed, or twice the share of the last day.
 * At least 5 must have failed. A few attempts prove little, so the share is the lower bound that is certain despite their
 * number.
 *
 * Costs one command that reads 16 documents. While something fails, it costs up to five more, which read about 200.
 */
export async function findFailingJobs(situation: Situation): Promise<VerdictFinding[]> {
  const { statistics, failures } = situation.collections;
  const suspects = await findRates(statistics, before(situation, WINDOW_MS));
  const looked = suspects
    .map((rate) => ({ ...rate, certainShare: certainShareOf(rate) }))
    .filter(({ certainShare }) => certainShare >= NOTICEABLE)
    .sort((one, other) => other.certainShare - one.certainShare)
    .slice(0, MAX_FOUND);
  if (looked.length === 0) return [];
  const names = looked.map(({ jobName }) => jobName);
  const [day, messages] = await Promise.all([
    findDay(situation, names),
    findMessages(failures, situation, names),
  ]);
  const failing = looked.filter((one) =>
    isFailing(one, sumOf(restOf(day.get(one.jobName) ?? [], situation))),
  );
  const queues = await findQueues(
    situation,
    failing.flatMap(({ jobName }) => messages.get(jobName)?._id ?? []),
  );
  return findingsOf(failing, (one) => {
    const message = messages.get(one.jobName);
    const since = failingSince(day.get(one.jobName) ?? [], situation.now, WINDOW_MS);
    return toFinding(one, since, message, message && queues.get(message._id));
  });
}

/** Adds up in the database how many attempts of each kind ended since a moment. Returns the kinds with enough failures. */
async function findRates(
  statistics: Collection<StatisticsDocument>,
  since: Date,
): Promise<Omit<Failing, 'certainShare'>[]> {
  const count = (name: string) => ({ $ifNull: [`$$kind.v.${name}`, 0] });
  const failed = { $add: ['errors', 'retried', 'recovered'].map(count) };
  const rate = { key: '$$kind.k', failed, ended: { $add: [failed, count('completed')] } };
  const names = { $objectToArray: { $ifNull: ['$names', {}] } };
  const pipeline = [
    { $match: { _id: { $gte: startOfMinute(since) } } },
    { $project: { kinds: { $map: { input: names, as: 'kind', in: rate } } } },
    { $unwind: '$kinds' },
    {
      $group: { _id: '$kinds.key', failed: { $sum: '$kinds.failed' }, ended: { $sum: '$kinds.ended' } },
    },
    { $match: { failed: { $gte: MIN_FAILED } } },
  ];
  const found = await statistics
    .aggregate<Rate & { readonly _id: string }>(pipeline, { batchSize: MAX_NAMES + 1, ...byId })
    .toArray();
  return found.map(({ _id, failed, ended }) => ({ jobName: nameOfKey(_id), failed, ended }));
}

function startOfMinute(moment: Date): Date {
  return new Date(moment.getTime() - (moment.getTime() % MINUTE_MS));
}

function isFailing({ certainShare }: Failing, rest: Rate): boolean {
  return certainShare >= BAD || certainShare >= TIMES_WORSE * shareOf(rest);
}

/** Returns the steps of the day that precede the time that is judged. */
function restOf(day: readonly RateAt[], situation: Situation): readonly RateAt[] {
  return day.filter(({ at }) => at < before(situation, WINDOW_MS));
}

/**
 * Reads how many attempts of these kinds ended in the last day. The last hour is read by minutes, to show since when they fail.
 * The time before is read by hours, as far as these were added up.
 */
async function findDay(
  { collections, now }: Situation,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly RateAt[]>> {
  const counted = ['completed', 'errors', 'retried', 'recovered'];
  const fields = names.flatMap((name) => counted.map((count) => [`names.${nameKey(name)}.${count}`, 1]));
  const rates = new Map<string, RateAt[]>(names.map((name) => [name, []]));
  const hour = now.getTime() - (now.getTime() % HOUR_MS);
  const projection = Object.fromEntries(fields);
  const take = (stepMs: number, first: number) => (document: Counted, step: number) => {
    for (const name of names) {
      const counts = document.names?.[nameKey(name)];
      if (counts) rates.get(name)?.push({ at: new Date(first + step * stepMs), ...rateOf(counts) });
    }
  };
  const minutes = { first: hour - HOUR_MS, stepMs: MINUTE_MS, count: 2 * MINUTES };
  const hours = { first: hour - DAY_MS, stepMs: HOUR_MS, count: HOURS - 1 };
  await Promise.all([
    readSteps(collections, minutes, projection, take(MINUTE_MS, minutes.first)),
    readSteps(collections, hours, projection, take(HOUR_MS, hours.first)),
  ]);
  return rates;
}

type Group = Pick<FailureDocument, '_id' | 'jobName' | 'message' | 'hours'>;

/** Finds the group with the most failed attempts lately, for each kind. */
async function findMessages(
  failures: Collection<FailureDocument>,
  situation: Situation,
  names: readonly string[],
): Promise<ReadonlyMap<string, Group>> {
  const seen = { jobName: { $in: [...names] }, lastSeen: { $gte: before(situation, WINDOW_MS + MINUTE_MS) } };
  const options = {
    projection: { jobName: 1, message: 1, hours: 1 },
    limit: MAX_GROUPS,
    batchSize: MAX_GROUPS + 1,
  };
  const groups = await byIndex(failures, byKindSeen, (hint) =>
    failures.find<Group>(seen, { ...options, ...hint }).toArray(),
  );
  const rarestFirst = groups.toSorted((one, other) => lately(one) - lately(other));
  return new Map(rarestFirst.map((group) => [group.jobName, group]));
}

/** Returns how many attempts failed in this hour and the one before. */
function lately({ hours }: Group): number {
  return hours.slice(-2).reduce((sum, { count }) => sum + count, 0);
}

/** Finds the queue of one job in each group. */
async function findQueues(
  { collections: { jobs } }: Situation,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (keys.length === 0) return new Map();
  const options = { projection: { failureKey: 1, queue: 1 }, limit: MAX_GROUPS, batchSize: MAX_GROUPS + 1 };
  const found = await byIndex(jobs, byFailure, (hint) =>
    jobs.find({ failureKey: { $in: [...keys] } }, { ...options, ...hint }).toArray(),
  );
  return new Map(found.map(({ failureKey = '', queue }) => [failureKey, queue]));
}

function toFinding(
  { jobName, ended, failed, certainShare }: Failing,
  since: Date | undefined,
  group: Group | undefined,
  queue: string | undefined,
): VerdictFinding {
  const share = Math.round((100 * failed) / ended);
  const first = group && !isOther(group._id) ? `, most with: ${group.message.replace(/\.$/, '')}` : '';
  const isKnown = group !== undefined && !isOther(group._id);
  return {
    code: 'failing_jobs',
    severity: certainShare >= BAD ? 'failure' : 'warning',
    about: { type: 'job', name: jobName },
    text: `${jobName}: ${share} % of attempts fail (${failed} of ${ended} in 15 minutes)${first}`,
    advice: `See the failures: remote-processor failures list --name ${jobName}. Once the cause is gone, retry them`,
    since,
    actions: [
      'see',
      ...(isKnown ? ['retry' as const] : []),
      ...(queue === undefined ? [] : ['pause' as const]),
    ],
    ...(isKnown && { failureKey: group._id }),
    ...(queue !== undefined && { queue }),
  };
}
