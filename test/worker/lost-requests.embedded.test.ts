/** Whichever request of a processor gets lost, or its reply: no job is lost with it, and none runs twice. */
import { expect, test } from 'vitest';
import { LocalProcessor } from '../../local/processor.js';
import { ConflictError, defineJob, type LogFields } from '../../src/index.js';
import { type Collections, openCollections } from '../../src/mongo/collections.js';
import { isClaim } from '../chaos/commands.js';
import type { Judge, Passage } from '../chaos/tcp-proxy.js';
import { silent, useDatabase } from '../database.js';
import { useUnreliableNetwork } from '../unreliable-network.js';

const database = useDatabase();
const connect = useUnreliableNetwork(database);

/** A job that notes each of its runs, and throws at the first if its id says so. */
function noted(runs: { readonly jobId: string; readonly attempt: number }[]) {
  return defineJob({
    name: 'noted',
    retryDelay: 0,
    run: ({ jobId, attempt }) => {
      runs.push({ jobId, attempt });
      if (jobId === 'throws once' && attempt === 1) throw new Error('The first time.');
    },
  });
}

test('when the reply to a claim is lost, and reading back fails as well, the jobs that it took are run at once', async () => {
  const { processor, proxy } = await connect({ maxThreads: 3 });
  await processor.addJobFactory(noted([]));
  for (const id of ['a', 'b', 'c']) await processor.addJob('noted', undefined, { id });
  let readBacks = 0;
  proxy.judgeBy((command) => {
    if (isClaim(command)) return 'lose reply';
    const readsBack = command.find === 'jobs' && command.filter['lease.token'] !== undefined;
    return readsBack && readBacks++ < 4 ? 'cut' : 'deliver';
  });
  expect(await processor.drain()).toMatchObject({ completed: 3 });
  expect(readBacks).toBeGreaterThan(4);
  for (const job of await processor.getJobs())
    expect(job).toMatchObject({ status: 'completed', retryCounter: 1, givenBackCounter: 0, errors: [] });
});

/** The driver tries twice: this is its first failure, and one more of whoever tries again. */
const LOST_IN_A_ROW = 3;

test('whichever reply is lost, and the next two, every job runs as often as it should, and ends as it should', async () => {
  const { requests, ...calm } = await live('calm', () => 'deliver');
  expect(calm.runs).toEqual([
    'alone 1',
    ...['a 1', 'b 1', 'c 1'],
    ...['throws once 1', 'throws once 2'],
    'recovered 2',
    'hourly 1',
  ]);
  // A read whose reply is lost has done nothing, so that it is enough to begin with each of the others.
  const firsts = requests.flatMap((name, index) => (writes.has(name) ? index : []));
  const lives = await Promise.all(firsts.map((first) => live(String(first), losingFrom(first))));
  lives.forEach(({ requests: _, ...life }, n) => {
    expect(life, `from request ${firsts[n]}, ${requests[firsts[n] ?? 0]}`).toEqual(calm);
  });
}, 90_000);

const writes = new Set(['update', 'findAndModify', 'commitTransaction']);

function losingFrom(first: number): (index: number) => Passage {
  return (index) => (index >= first && index < first + LOST_IN_A_ROW ? 'lose reply' : 'deliver');
}

interface Life {
  /** The names of the commands that it sent. */
  readonly requests: readonly string[];
  /** Each run of a job, with its attempt. */
  readonly runs: readonly string[];
  /** How each job ended, by id, or by the item that made it. */
  readonly ends: Readonly<Record<string, string>>;
  /** What the log says of each attempt: none was stale. */
  readonly outcomes: readonly unknown[];
}

/**
 * Has a processor do all that it does, once, on a database of its own.
 *
 * @param judge decides about each request by its number, counted from 0
 */
async function live(name: string, judge: (index: number) => Passage): Promise<Life> {
  const db = database.client.db(`${database.name}-${name}`);
  const collections = openCollections(db);
  await new LocalProcessor({ db, log: silent }).ensureIndexes();
  const runs: { jobId: string; attempt: number }[] = [];
  const requests: string[] = [];
  const outcomes: unknown[] = [];
  const log = { ...silent, info: (_: string, fields?: LogFields) => outcomes.push(fields?.outcome) };
  const { processor, proxy } = await connect({ maxThreads: 3, log }, db.databaseName);
  await processor.addJobFactory(noted(runs));
  await processor.addScheduler({ id: 'hourly', type: 'Delay', delay: '1h', jobName: 'noted', active: true });
  proxy.judgeBy(counting(judge, requests));
  await runJobs(processor);
  await settleByHand(processor);
  await recover(processor, collections);
  await fire(processor, collections);

  const jobs = await collections.jobs.find().toArray();
  await db.dropDatabase();
  const names = new Map(jobs.map(({ _id, occurrence }) => [_id, occurrence?.item ?? _id]));
  return {
    requests,
    runs: runs.map(({ jobId, attempt }) => `${names.get(jobId)} ${attempt}`),
    ends: Object.fromEntries(jobs.map(({ _id, status }) => [names.get(_id), status])),
    outcomes,
  };
}

/** What drivers ask for themselves is not counted: nobody waits for it. */
function counting(judge: (index: number) => Passage, requests: string[]): Judge {
  return (command) => {
    const [name = ''] = Object.keys(command);
    return ['hello', 'ismaster', 'endSessions'].includes(name) ? 'deliver' : judge(requests.push(name) - 1);
  };
}

const add = (processor: LocalProcessor, id: string) =>
  untilItSucceeds(() => processor.addJob('noted', undefined, { id }));
const drain = (processor: LocalProcessor) => untilItSucceeds(() => processor.drain());

async function runJobs(processor: LocalProcessor): Promise<void> {
  await add(processor, 'alone');
  await drain(processor);
  for (const id of ['a', 'b', 'c']) await add(processor, id);
  await drain(processor);
  await add(processor, 'throws once');
  await drain(processor);
}

async function settleByHand(processor: LocalProcessor): Promise<void> {
  await add(processor, 'cancelled');
  await untilItSucceeds(() => processor.cancelJob('cancelled'));
  await add(processor, 'pulled');
  const pulled = await untilItSucceeds(() => processor.pullNextJob());
  if (pulled) await untilItSucceeds(() => processor.completeJob(pulled));
}

async function recover(processor: LocalProcessor, { jobs }: Collections): Promise<void> {
  await add(processor, 'recovered');
  await untilItSucceeds(() => processor.pullNextJob());
  await jobs.updateOne({ _id: 'recovered' }, { $set: { 'lease.expires': new Date(0) } });
  await drain(processor);
}

async function fire(processor: LocalProcessor, { scheduler }: Collections): Promise<void> {
  await scheduler.updateOne({ _id: 'hourly' }, { $set: { nextCallTime: new Date() } });
  await untilItSucceeds(() => processor.scheduleDueItems());
  await drain(processor);
}

/** A conflict tells that an earlier try did what was asked. */
async function untilItSucceeds<Result>(
  operation: () => Promise<Result>,
  tries = LOST_IN_A_ROW + 1,
): Promise<Result | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof ConflictError) return undefined;
    if (tries === 1) throw error;
    return untilItSucceeds(operation, tries - 1);
  }
}
