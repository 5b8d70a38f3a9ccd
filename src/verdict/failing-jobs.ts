import type { Collection } from 'mongodb';
import ms from 'ms';
import { byKindSeen, type FailureDocument, isOther } from '../failure/failure-document.js';
import { byFailure } from '../job/indexes.js';
import { byIndex } from '../mongo/by-index.js';
import { MINUTE_MS, nameKey, nameOfKey, type StatisticsDocument } from '../statistics/statistics-document.js';
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

/** The time that is judged. Long enough for some attempts of most kinds, and short enough to see that it is over. */
const WINDOW_MS = ms('15m');

/** The time that it is compared with. */
const DAY_MS = ms('1d');

/** Fewer failures are no reason to wake anybody: each is among the failures, and is retried. */
const MIN_FAILED = 5;

/** Share of failures that is bad, whatever the day was like. */
const BAD = 0.5;

/** Share of failures that is bad if the day was much better. */
const NOTICEABLE = 0.1;

/** How much worse than the day. */
const TIMES_WORSE = 2;

/** Maximum number of groups of failures to read. */
const MAX_GROUPS = 200;

/** A kind of jobs that fails more often than it should. */
interface Failing extends Rate {
  readonly jobName: string;
  readonly certainShare: number;
}

/**
 * Finds kinds of jobs whose attempts failed in the last 15 minutes: mostly, or twice as often as in the last day. Few attempts
 * prove little, so the share is taken that is certain despite their number, and at least 5 must have failed.
 *
 * Costs one command that reads 16 documents. While something fails, it costs up to three more.
 */
export async function findFailingJobs(situation: Situation): Promise<VerdictFinding[]> {
  const { statistics, failures } = situation.collections;
  const documents = await statistics
    .find(minutesSince(before(situation, WINDOW_MS)), { projection: { names: 1 } })
    .toArray();
  const suspects = suspectsIn(documents);
  if (suspects.length === 0) return [];
  const looked = suspects.slice(0, MAX_FOUND);
  const names = looked.map(({ jobName }) => jobName);
  const [day, messages] = await Promise.all([
    findDay(statistics, situation, names),
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

/** Returns the first minute that counts, and those after it. */
function minutesSince(moment: Date) {
  return { _id: { $gte: new Date(moment.getTime() - (moment.getTime() % MINUTE_MS)) } };
}

/** Returns the kinds that may be failing, those with the largest share of failures first. */
function suspectsIn(documents: readonly Pick<StatisticsDocument, 'names'>[]): Failing[] {
  const rates = new Map<string, Rate>();
  for (const { names = {} } of documents) {
    for (const [key, counts] of Object.entries(names))
      rates.set(key, sumOf([rates.get(key) ?? rateOf({}), rateOf(counts)]));
  }
  return [...rates]
    .map(([key, rate]) => ({ jobName: nameOfKey(key), ...rate, certainShare: certainShareOf(rate) }))
    .filter(({ failed, certainShare }) => failed >= MIN_FAILED && certainShare >= NOTICEABLE)
    .sort((one, other) => other.certainShare - one.certainShare);
}

function isFailing({ certainShare }: Failing, rest: Rate): boolean {
  return certainShare >= BAD || certainShare >= TIMES_WORSE * shareOf(rest);
}

/** Returns the steps of the day before those that are judged. */
function restOf(day: readonly RateAt[], situation: Situation): readonly RateAt[] {
  return day.filter(({ at }) => at < before(situation, WINDOW_MS));
}

/** Reads how many attempts of these kinds ended in the last day. */
async function findDay(
  statistics: Collection<StatisticsDocument>,
  situation: Situation,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly RateAt[]>> {
  const counted = ['completed', 'errors', 'retried', 'recovered'];
  const fields = names.flatMap((name) => counted.map((count) => [`names.${nameKey(name)}.${count}`, 1]));
  const documents = await statistics
    .find(minutesSince(before(situation, DAY_MS)), { projection: Object.fromEntries(fields) })
    .toArray();
  const ratesOf = (name: string) =>
    documents.map((document) => ({ at: document._id, ...rateOf(document.names?.[nameKey(name)] ?? {}) }));
  return new Map(names.map((name) => [name, ratesOf(name)]));
}

type Group = Pick<FailureDocument, '_id' | 'jobName' | 'message' | 'hours'>;

/** Finds the group of each kind that most attempts failed with lately. */
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

/** Finds the queue of a job that failed so, by group. */
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
  const first = group && !isOther(group._id) ? `, most with: ${group.message}` : '';
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
