import fc from 'fast-check';
import { expect } from 'vitest';
import {
  ConflictError,
  RemoteException,
  type SettledStatus,
  Snooze,
  settledStatuses,
} from '../../src/index.js';
import type { JobModel } from './job-model.js';
import { expectAsModelled, type Real } from './real.js';

/** Applies a step to the model and to the real processor. */
type Step = (model: JobModel, real: Real) => Promise<void>;

/** A step after which the documents must match the model. */
class Command implements fc.AsyncCommand<JobModel, Real> {
  constructor(
    private readonly name: string,
    private readonly step: Step,
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: JobModel, real: Real): Promise<void> {
    await this.step(model, real);
    await expectAsModelled(model, real);
  }

  toString(): string {
    return this.name;
  }
}

const anyIndex = fc.nat({ max: 1000 });
const anyKey = fc.option(fc.constantFrom('key a', 'key b'), { nil: undefined });
const anyStatuses = fc.subarray<SettledStatus>([...settledStatuses]);
const anyOptions = fc.record({
  maxRetries: fc.integer({ min: 1, max: 3 }),
  priority: fc.integer({ min: 0, max: 1 }),
  key: anyKey,
});

/** Every command, with any arguments. */
export const anyCommands = fc.commands(
  [
    ...often(anyOptions.map((options) => new Command(`add(${JSON.stringify(options)})`, add(options)))),
    ...often(fc.constant(new Command('claim()', claim))),
    onClaimed('complete', complete),
    onClaimed('fail', fail),
    onClaimed('failForGood', failForGood),
    onClaimed('snooze', snooze),
    fc.constant(new Command('process()', processNext)),
    fc.constant(new Command('giveBack()', giveBack)),
    fc.constant(new Command('expire()', expire)),
    ...often(fc.constant(new Command('expireTogether()', expireTogether))),
    fc.constant(new Command('recover()', recover)),
    onAny('cancel', cancel),
    onAny('retry', retry),
    onAny('addAgain', addAgain),
    onAny('putOff', putOff),
    onAny('hasten', hasten),
    anyStatuses.map((statuses) => new Command(`remove(${statuses})`, remove(statuses))),
  ],
  { maxCommands: 60, size: 'max' },
);

/**
 * Repeats an arbitrary to make it more frequent, so that the other commands meet several jobs, some of them claimed.
 */
function often<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value>[] {
  return [arbitrary, arbitrary, arbitrary, arbitrary];
}

/** Returns a step on one of the existing jobs. */
function onAny(name: string, step: (id: string, model: JobModel, real: Real) => Promise<void>) {
  return anyIndex.map(
    (index) =>
      new Command(`${name}(${index})`, async (model, real) => {
        const id = pick([...model.jobs.keys()], index);
        if (id !== undefined) await step(id, model, real);
      }),
  );
}

type ClaimedStep = (settle: Settle, model: JobModel, id: string) => Promise<void>;
/**
 * Settles the job, and expects success or a conflict, as the model says. Calls `then` if the attempt holds the lease.
 */
type Settle = (
  settling: (real: Real, job: Real['claimed'][number]) => Promise<unknown>,
  then: () => void,
) => Promise<void>;

/** Returns a step on one of the jobs that were ever claimed, most of which have been lost or settled since. */
function onClaimed(name: string, step: ClaimedStep) {
  return anyIndex.map(
    (index) =>
      new Command(`${name}(${index})`, async (model, real) => {
        const job = pick(real.claimed, index);
        if (job === undefined) return;
        await step(
          async (settling, then) => {
            if (model.holds(job.id, job.token)) {
              then();
              expect(await settling(real, job)).toBe(model.job(job.id).status);
            } else if (model.settledLast(job.id, job.token)) {
              expect(await settling(real, job)).toBe(model.job(job.id).status);
            } else await expect(settling(real, job)).rejects.toThrow(ConflictError);
          },
          model,
          job.id,
        );
      }),
  );
}

function pick<Value>(values: readonly Value[], index: number): Value | undefined {
  return values[index % values.length];
}

/** Adds a job. If an unsettled job has the unique key, expects the id of that job. */
function add({
  maxRetries,
  priority,
  key,
}: {
  maxRetries: number;
  priority: number;
  key: string | undefined;
}): Step {
  return async (model, { processor }) => {
    const holder = key === undefined ? undefined : model.holderOf(key);
    const id = await processor.addJob('modelled', { n: 1 }, { maxRetries, priority, uniqueKey: key });
    if (holder === undefined) model.add(id, { maxRetries, priority, key });
    else expect(id).toBe(holder);
  };
}

async function addAgain(id: string, _: JobModel, { processor }: Real): Promise<void> {
  expect(await processor.addJob('modelled', { n: 1 }, { id })).toBe(id);
  await expect(processor.addJob('modelled', { n: 2 }, { id })).rejects.toThrow(ConflictError);
}

async function claim(model: JobModel, { processor, claimed }: Real): Promise<void> {
  const expected = model.next();
  const job = await processor.pullNextJob();
  if (expected.length === 0) expect(job).toBeUndefined();
  if (job === undefined) return expect(expected).toEqual([]);
  expect(expected).toContain(job.id);
  claimed.push(job);
  model.claim(job.id, job.token);
}

async function complete(settle: Settle, model: JobModel, id: string): Promise<void> {
  await settle(
    ({ processor }, job) => processor.completeJob(job, 'done'),
    () => model.complete(id),
  );
}

async function fail(settle: Settle, model: JobModel, id: string): Promise<void> {
  await settle(
    ({ processor }, job) => processor.failJob(job, new Error('Try again.')),
    () => model.fail(id),
  );
}

async function failForGood(settle: Settle, model: JobModel, id: string): Promise<void> {
  await settle(
    ({ processor }, job) => processor.failJob(job, new RemoteException('Hopeless.')),
    () => model.failForGood(id),
  );
}

async function snooze(settle: Settle, model: JobModel, id: string): Promise<void> {
  await settle(
    ({ processor }, job) => processor.failJob(job, new Snooze(0)),
    () => model.giveBack(id),
  );
}

/** Processes a job. When nothing is due, it recovers and looks again. */
async function processNext(model: JobModel, { processor, work }: Real): Promise<void> {
  if (model.next().every((id) => model.job(id).runAlone)) model.recover();
  const expected = model.next();
  const run: Run[] = [];
  work.onRun = (id, token) => {
    run.push([id, token]);
    return false;
  };
  expect(await processor.processNextJob()).toBe(expected.length > 0);
  expectRunOf(expected, run);
  for (const [id, token] of run) {
    model.claim(id, token);
    model.complete(id);
  }
}

/** Runs a drain that must stop as soon as its first job runs. The drain recovers lost jobs before it begins. */
async function giveBack(model: JobModel, { processor, work }: Real): Promise<void> {
  model.recover();
  const expected = model.next(true);
  const stop = new AbortController();
  const run: Run[] = [];
  work.onRun = (id, token) => {
    run.push([id, token]);
    stop.abort();
    return true;
  };
  const { givenBack } = await processor.drain({ signal: stop.signal });
  expect(givenBack).toBe(run.length);
  expectRunOf(expected, run);
  for (const [id, token] of run) {
    model.claim(id, token);
    model.giveBack(id);
  }
}

/** A job and the token it ran under. */
type Run = readonly [id: string, token: string];

/** Expects that one of the expected jobs ran, if there are any. */
function expectRunOf(expected: readonly string[], run: readonly Run[]): void {
  expect(run).toHaveLength(Math.min(1, expected.length));
  for (const [id] of run) expect(expected).toContain(id);
}

/** Returns a time so long ago that nobody expects a heartbeat. */
const longAgo = () => new Date(Date.now() - 3_600_000);

/** Lets the lease of one job expire. */
async function expire(model: JobModel, { jobs }: Real): Promise<void> {
  const [id] = model.ids('processing');
  if (id === undefined) return;
  await jobs.updateOne({ _id: id }, { $set: { 'lease.expires': longAgo() } });
  model.job(id).isExpired = true;
}

/** Lets all leases expire as if one dead worker had held them. */
async function expireTogether(model: JobModel, { jobs }: Real): Promise<void> {
  const lease = { 'lease.expires': longAgo(), 'lease.worker': 'the dead one' };
  await jobs.updateMany({ status: 'processing' }, { $set: lease });
  for (const id of model.ids('processing'))
    Object.assign(model.job(id), { isExpired: true, worker: 'the dead one' });
}

async function recover(model: JobModel, { processor }: Real): Promise<void> {
  model.recover();
  expect(await processor.scheduleDueItems()).toEqual([]);
}

async function cancel(id: string, model: JobModel, { processor }: Real): Promise<void> {
  const { status } = model.job(id);
  if (status !== 'queued' && status !== 'processing') {
    return expect(processor.cancelJob(id)).rejects.toThrow(ConflictError);
  }
  model.cancel(id);
  expect(await processor.cancelJob(id)).toBe(model.job(id).status);
}

async function retry(id: string, model: JobModel, { processor }: Real): Promise<void> {
  const { status, key } = model.job(id);
  const isTaken = key !== undefined && model.holderOf(key) !== undefined;
  if (isTaken || (status !== 'error' && status !== 'cancelled')) {
    return expect(processor.retryJob(id)).rejects.toThrow(ConflictError);
  }
  await processor.retryJob(id);
  model.retry(id);
}

/** Delays a queued job by an hour. */
async function putOff(id: string, model: JobModel, { processor }: Real): Promise<void> {
  const job = model.job(id);
  const update = processor.updateJob(id, { delay: '1h', priority: 1 });
  if (job.status !== 'queued') return expect(update).rejects.toThrow(ConflictError);
  await update;
  Object.assign(job, { isDue: false, priority: 1 });
}

async function hasten(id: string, model: JobModel, { processor }: Real): Promise<void> {
  const job = model.job(id);
  const update = processor.updateJob(id, { delay: 0, maxRetries: 2 });
  if (job.status !== 'queued') return expect(update).rejects.toThrow(ConflictError);
  await update;
  Object.assign(job, { isDue: true, maxRetries: Math.max(2, job.retryCounter + 1) });
}

function remove(statuses: readonly SettledStatus[]): Step {
  return async (model, { processor }) => {
    const counts = Object.fromEntries(statuses.map((status) => [status, model.ids(status).length]));
    expect(await processor.removeJobs(statuses)).toEqual(counts);
    model.remove(statuses);
  };
}
