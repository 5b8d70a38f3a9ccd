/** Whichever request of a processor gets lost, or its reply: no job is lost with it, and none runs twice. */
import { describe, expect, test } from 'vitest';
import type { LocalProcessor } from '../../local/processor.js';
import { makeIndexes } from '../../local/testing/make-indexes.js';
import { batchesOf } from '../../src/batches-of.js';
import { type Collections, openCollections } from '../../src/collections/collections.js';
import { ConflictError, defineJob, type LogFields } from '../../src/index.js';
import { DEFAULT_COLLECTION_PREFIX } from '../../src/mongo/collection-prefix.js';
import { isClaim, isReadBack } from '../chaos/commands.js';
import type { Judge, Passage } from '../chaos/tcp-proxy.js';
import { silent, useDatabase } from '../database.js';
import { eventually } from '../eventually.js';
import { gatedJob } from '../jobs.js';
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

/** A driver tries a request again, once, when it may. */
const TRIES = 2;

describe.each([1, 3])('a claim of at most %i', (maxThreads) => {
  async function setup() {
    const { processor, proxy } = await connect({ maxThreads });
    await processor.addJobFactory(noted([]));
    for (let n = 0; n < maxThreads; n += 1) await processor.addJob('noted');
    return { processor, proxy };
  }

  test('whose reply is lost, and that cannot be read back at first, is good: what it took is run at once', async () => {
    const { processor, proxy } = await setup();
    let claims = 0;
    let readBacks = 0;
    proxy.judgeBy((command) => {
      if (isClaim(command) && claims++ < TRIES) return 'lose reply';
      return isReadBack(command) && readBacks++ < 2 * TRIES ? 'cut' : 'deliver';
    });
    expect(await processor.drain()).toMatchObject({ completed: maxThreads });
    expect(readBacks).toBeGreaterThan(2 * TRIES);
    for (const job of await processor.getJobs())
      expect(job).toMatchObject({ status: 'completed', retryCounter: 1, givenBackCounter: 0, errors: [] });
  });

  test('that does not arrive is made again: nothing taken does not mean that nothing is due', async () => {
    const { processor, proxy } = await setup();
    let claims = 0;
    proxy.judgeBy((command) => (isClaim(command) && claims++ < TRIES ? 'cut' : 'deliver'));
    expect(await processor.drain()).toMatchObject({ completed: maxThreads });
    expect(claims).toBeGreaterThan(TRIES);
  });
});

test('while nothing gets through, not even to find the primary, outcomes wait', async () => {
  const { processor, proxy } = await connect({ maxThreads: 2 }, { serverSelectionTimeoutMS: 1_000 });
  const { gate, factory } = gatedJob();
  await processor.addJobFactory(factory);
  for (let n = 0; n < 2; n += 1) await processor.addJob('gated', n);
  const draining = processor.drain();
  await eventually(() => expect(gate.arrived).toBe(2));
  proxy.judgeBy(() => 'cut');
  gate.open();
  const began = performance.now();
  await eventually(() => expect(performance.now() - began).toBeGreaterThan(2_500));
  proxy.judgeBy(undefined);
  expect(await draining).toMatchObject({ completed: 2, unsettled: 0 });
});

/** The driver tries twice: this is its first failure, and one more of whoever tries again. */
const LOST_IN_A_ROW = 3;

const LIVES_AT_A_TIME = 8;

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
  const lives: Life[] = [];
  // All at once would keep a busy machine from answering in time.
  for (const some of batchesOf(firsts, LIVES_AT_A_TIME))
    lives.push(...(await Promise.all(some.map((first) => live(String(first), losingFrom(first))))));
  lives.forEach(({ requests: _, ...life }, n) => {
    expect(life, `from request ${firsts[n]}, ${requests[firsts[n] ?? 0]}`).toEqual(calm);
  });
});

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
  const collections = openCollections(db, DEFAULT_COLLECTION_PREFIX);
  await makeIndexes(collections);
  const runs: { jobId: string; attempt: number }[] = [];
  const requests: string[] = [];
  const outcomes: unknown[] = [];
  const log = { ...silent, info: (_: string, fields?: LogFields) => outcomes.push(fields?.outcome) };
  const { processor, proxy } = await connect({ maxThreads: 3, log }, { databaseName: db.databaseName });
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
    // Recovery whose commit lost its reply finds nothing more to recover when it looks again, and cannot tell of it.
    outcomes: outcomes.filter((outcome) => outcome !== 'recovered'),
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
