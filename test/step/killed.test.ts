import fc from 'fast-check';
import { type Document, MongoClient } from 'mongodb';
import { afterAll, expect, test } from 'vitest';
import { defineJob, RemoteProcessor } from '../../src/index.js';
import { type Passage, TcpProxy } from '../chaos/tcp-proxy.js';
import { collectionNames } from '../collection-names.js';
import { silent, useDatabase } from '../database.js';
import { afterDeaths, workUntilDead } from '../work-until-dead.js';
import { endWaits } from './over.js';
import { type Effects, type Op, perform, programs, stepsOf } from './program.js';

const database = useDatabase();

afterAll(afterDeaths);

function jobOf(ops: readonly Op[], effects: Effects) {
  return defineJob({
    name: 'program',
    maxRetries: 1000,
    retryDelay: 0,
    run: (context) => perform(ops, context, effects),
  });
}

function newEffects(client = database.client): Effects {
  return { calls: new Map(), ledger: client.db(database.name).collection('ledger') };
}

/** Adds the job of a program, and the signals that it waits for. */
async function add(ops: readonly Op[], id: string): Promise<void> {
  const processor = database.processor();
  const job = jobOf(ops, newEffects());
  await processor.addJobFactory(job);
  await processor.addJob(job, undefined, { id });
  for (const { kind, name } of stepsOf(ops))
    if (kind === 'wait') await processor.signal(id, name, `signal ${name}`);
}

const jobs = () => database.db.collection<{ _id: string }>(collectionNames.jobs);

/** Drains with a processor of its own, again and again, until the job is settled. */
async function finish(
  id: string,
  drainOnce: () => Promise<unknown>,
  isDead: () => boolean = () => false,
): Promise<void> {
  for (let tries = 0; tries < 100 && !isDead(); tries += 1) {
    await drainOnce();
    const job = await database.processor().getJob(id);
    if (job?.status === 'completed' || job?.status === 'error') return;
    if (!isDead()) await endWaits(database.db, id);
  }
  if (!isDead()) throw new Error('The job did not end.');
}

async function expireLeases(): Promise<void> {
  await jobs().updateMany({ status: 'processing' }, { $set: { 'lease.expires': new Date(1) } });
}

/** Reads are left out of what is counted: a process that dies at one leaves what it leaves at the write before. */
function isWrite(command: Document): boolean {
  return ['insert', 'update', 'delete', 'findAndModify', 'commitTransaction'].some((name) => name in command);
}

/** Does the job, and dies at a write. Returns true if it died, false if the work was done first. */
function finishUntilDead(
  jobWith: (client: MongoClient) => ReturnType<typeof jobOf>,
  id: string,
  survives: number,
  fate: Passage,
): Promise<boolean> {
  return workUntilDead(
    database,
    { survives, fate, counts: isWrite },
    (client) => [jobWith(client)],
    (processor, signal) =>
      finish(
        id,
        () => processor.drain({ signal, margin: 0 }),
        () => signal.aborted,
      ),
  );
}

/** The results of a program that nothing interrupts, and how often each transaction takes effect. */
async function uninterrupted(ops: readonly Op[]) {
  await add(ops, 'whole');
  const processor = database.processor();
  await processor.addJobFactory(jobOf(ops, newEffects()));
  await finish('whole', () => processor.drain());
  return processor.getJobResult('whole');
}

/** Runs a program that is killed at a write, and then goes on in another process. Returns whether it was killed. */
async function expectSameAfterKill(
  ops: readonly Op[],
  whole: unknown,
  survives: number,
  fate: Passage,
): Promise<boolean> {
  const id = `killed ${survives} ${fate}`;
  await add(ops, id);
  const wasKilled = await finishUntilDead((client) => jobOf(ops, newEffects(client)), id, survives, fate);
  await expireLeases();

  const processor = database.processor();
  const stored = (await processor.jobs.steps(id)).steps.filter(({ state }) => state === 'completed');
  const after = newEffects();
  await processor.addJobFactory(jobOf(ops, after));
  await finish(id, async () => {
    await processor.recoverJobs();
    await processor.drain();
  });

  // An acknowledged step never runs again.
  for (const { name } of stored) expect(after.calls.get(name), name).toBeUndefined();
  expect(await processor.getJobResult(id)).toEqual(whole);
  const effects = await after.ledger.find({ _id: { $regex: `^${id} ` } }).toArray();
  const transactions = stepsOf(ops).filter(({ kind }) => kind === 'transaction');
  expect(effects.map(({ times }) => times)).toEqual(transactions.map(() => 1));
  return wasKilled;
}

const allKinds: readonly Op[] = [
  { kind: 'run', name: '0' },
  { kind: 'failOnce', name: '1' },
  { kind: 'transaction', name: '2' },
  {
    kind: 'together',
    ops: [
      { kind: 'iterate', name: '3.0', calls: 2 },
      { kind: 'sleep', name: '3.1' },
      { kind: 'run', name: '3.2' },
    ],
  },
  { kind: 'wait', name: '4' },
];

test('a job whose worker is killed before any of its writes ends as one that was not', async () => {
  const whole = await uninterrupted(allKinds);
  let survives = 0;
  while (await expectSameAfterKill(allKinds, whole, survives, 'cut')) survives += 1;
  expect(survives).toBeGreaterThan(9);
});

/** Does the job while the answer to one of its writes is lost. Returns the number of writes. */
async function workWithLoss(
  id: string,
  lost: number,
): Promise<{ readonly calls: Effects['calls']; readonly writes: number }> {
  const { hostname, port } = new URL(database.uri);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  // By default, the driver looks for the server again only half a second after a broken connection.
  const client = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, {
    minHeartbeatFrequencyMS: 20,
  });
  try {
    const processor = new RemoteProcessor({ db: client.db(database.name), log: silent });
    const effects = newEffects(client);
    await processor.addJobFactory(jobOf(allKinds, effects));
    let writes = 0;
    proxy.judgeBy((command: Document) => {
      if (!isWrite(command)) return 'deliver';
      writes += 1;
      return writes === lost ? 'lose reply' : 'deliver';
    });
    await finish(id, () => processor.drain());
    return { calls: effects.calls, writes };
  } finally {
    await client.close();
    await proxy.close();
  }
}

test('a step does not run again because the answer to a write is lost, and the job goes on', async () => {
  const whole = await uninterrupted(allKinds);
  for (let lost = 1, isOver = false; !isOver; lost += 1) {
    const id = `lost ${lost}`;
    await add(allKinds, id);
    const { calls, writes } = await workWithLoss(id, lost);
    isOver = writes < lost;
    expect(await database.processor().getJobResult(id)).toEqual(whole);
    const effects = await newEffects()
      .ledger.find({ _id: { $regex: `^${id} ` } })
      .toArray();
    expect(effects).toMatchObject([{ times: 1 }]);
    // The work of a transaction may be repeated, for what it wrote before was not committed.
    calls.delete('2');
    expect(Object.fromEntries(calls), `write ${lost}`).toEqual({ 0: 1, 1: 2, '3.0': 3, '3.2': 1 });
  }
});

/** A job that charges in two steps and then fails for good. Its account is at 0 once both are undone. */
function failingJob(client: MongoClient) {
  const account = client.db(database.name).collection<{ _id: string; charges: number }>('accounts');
  const add = (_id: string, step: string, charges: number) =>
    account.updateOne({ _id: `${_id} ${step}` }, { $set: { charges } }, { upsert: true });
  return defineJob({
    name: 'failing',
    maxRetries: 1,
    run: async ({ step, jobId }) => {
      for (const name of ['1', '2'])
        await step.run(name, { compensate: () => add(jobId, name, 0) }, () => add(jobId, name, 1));
      throw new Error('It fails in the end.');
    },
  });
}

test('a job that fails for good is undone, whenever its worker is killed', async () => {
  const balance = async (id: string) => {
    const accounts = database.db.collection<{ _id: string; charges: number }>('accounts');
    const found = await accounts.find({ _id: { $regex: `^${id} ` } }).toArray();
    return found.map(({ charges }) => charges);
  };
  let survives = 0;
  for (let wasKilled = true; wasKilled; survives += 1) {
    const id = `undone ${survives}`;
    const processor = database.processor();
    const job = failingJob(database.client);
    await processor.addJobFactory(job);
    await processor.addJob(job, undefined, { id });
    wasKilled = await finishUntilDead(failingJob, id, survives, 'cut');
    const stored = (await processor.jobs.steps(id)).steps.map(({ name }) => name);
    await expireLeases();
    await finish(id, async () => {
      await processor.recoverJobs();
      await processor.drain();
    });
    const left = await balance(id);
    expect(await processor.getJobStatus(id)).toBe('error');
    // A step that was not stored when its worker died in the only attempt is unknown to the job.
    if (stored.includes('1')) expect(left[0], id).toBe(0);
    if (stored.includes('2')) expect(left[1], id).toBe(0);
  }
  expect(survives).toBeGreaterThan(5);
});

test('a random program that is killed at a random write ends as one that was not', async () => {
  await fc.assert(
    fc
      .asyncProperty(
        programs,
        fc.nat({ max: 10 }),
        fc.constantFrom<Passage>('cut', 'lose reply'),
        async (ops, survives, fate) => {
          const whole = await uninterrupted(ops);
          await expectSameAfterKill(ops, whole, survives, fate);
        },
      )
      .afterEach(async () => {
        await jobs().deleteMany({});
        await database.db.collection('ledger').deleteMany({});
      }),
    { numRuns: Number(process.env.STEP_RUNS ?? 3) },
  );
});
