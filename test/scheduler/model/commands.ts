import fc from 'fast-check';
import { expect } from 'vitest';
import { ValidationError } from '../../../src/index.js';
import type { Definition, ItemModel, ModelJob, Timing } from './item-model.js';
import { expectAsModelled, type Real, timingOptions } from './real.js';

/** Applies a step to the model and to the real processor. */
type Step = (model: ItemModel, real: Real) => Promise<unknown>;

/** A step after which the documents must match the model. */
class Command implements fc.AsyncCommand<ItemModel, Real> {
  constructor(
    private readonly name: string,
    private readonly step: Step,
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: ItemModel, real: Real): Promise<void> {
    await this.step(model, real);
    await expectAsModelled(model, real);
  }

  toString(): string {
    return this.name;
  }
}

/** A Tuesday, two days before some zones set their clocks, which must not matter in UTC. */
export const BEGIN = Date.UTC(2026, 9, 20, 10, 7, 13) / 1000;

const HOUR = 3600;

const anyTiming: fc.Arbitrary<Timing> = fc.oneof(
  fc.record({ type: fc.constant('Delay' as const), seconds: fc.constantFrom(60, 300, 420, HOUR) }),
  fc.record({ type: fc.constant('Cron' as const), minutes: fc.constantFrom(5, 15, 30) }),
  fc.record({
    type: fc.constant('At' as const),
    at: fc.integer({ min: BEGIN - HOUR, max: BEGIN + 4 * HOUR }),
  }),
);
const anyMax = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const anyEnd = fc.option(fc.integer({ min: BEGIN, max: BEGIN + 8 * HOUR }), { nil: undefined });

export const anyDefinition: fc.Arbitrary<Definition> = fc
  .record({
    timing: anyTiming,
    catchUp: fc.constantFrom('once', 'all', 'none'),
    overlap: fc.constantFrom('allow', 'allow', 'skip'),
    maxOccurrences: anyMax,
    endAt: anyEnd,
  })
  // The processor refuses other options, which is not tested here.
  .filter(
    ({ timing, catchUp: policy, endAt = Number.POSITIVE_INFINITY }) =>
      firstOf(timing) <= endAt && (policy !== 'none' || firstOf(timing) >= BEGIN - 90),
  );

function firstOf(timing: Timing): number {
  if (timing.type === 'At') return timing.at;
  return BEGIN + (timing.type === 'Delay' ? timing.seconds : timing.minutes * 60);
}

const anyAhead = fc.constantFrom(0, 70, HOUR);
const anyIndex = fc.nat({ max: 1000 });
const anySeconds = fc.oneof(
  fc.constantFrom(0, 1, 60, 90, 91),
  fc.integer({ min: 0, max: 15 * 60 }),
  fc.integer({ min: 0, max: 6 * HOUR }),
);

/** Every command, with any arguments. */
export const anyCommands = fc.commands(
  [
    ...often(anyAhead.map((ahead) => new Command(`tick(${ahead})`, tick(ahead)))),
    ...often(anySeconds.map((seconds) => new Command(`pass(${seconds})`, pass(seconds)))),
    ...often(fc.constant(new Command('activate()', activate))),
    fc.constant(new Command('tickOnce()', tickOnce)),
    fc.integer({ min: 1, max: 600 }).map((seconds) => new Command(`setBack(${seconds})`, pass(-seconds))),
    fc.constant(new Command('deactivate()', deactivate)),
    fc.constant(new Command('retitle()', retitle)),
    anyTiming.map((timing) => new Command(`retime(${JSON.stringify(timing)})`, retime(timing))),
    anyMax.map((max) => new Command(`limit(${max})`, limit(max))),
    anyEnd.map((endAt) => new Command(`end(${endAt})`, end(endAt))),
    fc
      .constantFrom('once', 'all', 'none')
      .map((policy) => new Command(`catchUp(${policy})`, catchUp(policy))),
    fc.constantFrom('allow', 'skip').map((policy) => new Command(`overlap(${policy})`, overlap(policy))),
    fc.constant(new Command('reschedule()', reschedule)),
    fc.constant(new Command('work()', work)),
    fc.constant(new Command('removeJobs()', removeJobs)),
    onJob('queued', 'cancel', cancel),
    onJob('queued', 'hasten', hasten),
    onJob('cancelled', 'restore', restore),
  ],
  { maxCommands: 50, size: 'max' },
);

/** Repeats an arbitrary to make it more frequent, so that most sequences do what an item is for. */
function often<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value>[] {
  return [arbitrary, arbitrary, arbitrary];
}

/** Returns a step on one of the jobs that have this status. */
function onJob(
  status: ModelJob['status'],
  name: string,
  step: (at: number, id: string, model: ItemModel, real: Real) => Promise<void>,
) {
  return anyIndex.map(
    (index) =>
      new Command(`${name}(${index})`, async (model, real) => {
        const candidates = model.jobsThatAre(status);
        const at = candidates[index % candidates.length];
        if (at === undefined) return;
        const job = await real.jobs.findOne({ 'occurrence.at': new Date(at * 1000) });
        await step(at, String(job?._id), model, real);
      }),
  );
}

function tick(ahead: number): Step {
  return async (model, { processor }) => {
    const before = model.jobs.size;
    model.tick(ahead);
    expect(await processor.scheduleDueItems({ ahead: ahead * 1000 })).toHaveLength(model.jobs.size - before);
  };
}

async function tickOnce(model: ItemModel, { processor }: Real): Promise<void> {
  const before = model.jobs.size;
  model.tick(0, 1);
  const made = await processor.scheduleNextJob();
  expect(made === undefined ? 0 : 1).toBe(model.jobs.size - before);
}

function pass(seconds: number): Step {
  return async (model, { clock }) => {
    model.now += seconds;
    clock.now = model.now;
  };
}

async function activate(model: ItemModel, { processor }: Real): Promise<void> {
  await expectDone(model.activate(), processor.activateScheduler('item'));
}

async function deactivate(model: ItemModel, { processor }: Real): Promise<void> {
  model.deactivate();
  await processor.deactivateScheduler('item');
}

async function retitle(model: ItemModel, { processor }: Real): Promise<void> {
  model.update({});
  await processor.updateScheduler('item', { title: 'New', input: { title: 'New' } });
}

function retime(timing: Timing): Step {
  return (model, { processor }) =>
    expectDone(model.update({ timing }), processor.updateScheduler('item', timingOptions(timing)));
}

function limit(maxOccurrences: number | undefined): Step {
  const changes = { maxOccurrences: maxOccurrences ?? null };
  return (model, { processor }) =>
    expectDone(model.update({ maxOccurrences }), processor.updateScheduler('item', changes));
}

function end(endAt: number | undefined): Step {
  const changes = { endAt: endAt === undefined ? null : new Date(endAt * 1000) };
  return (model, { processor }) =>
    expectDone(model.update({ endAt }), processor.updateScheduler('item', changes));
}

function catchUp(policy: Definition['catchUp']): Step {
  return (model, { processor }) =>
    expectDone(model.update({ catchUp: policy }), processor.updateScheduler('item', { catchUp: policy }));
}

function overlap(policy: Definition['overlap']): Step {
  return (model, { processor }) =>
    expectDone(model.update({ overlap: policy }), processor.updateScheduler('item', { overlap: policy }));
}

async function reschedule(model: ItemModel, { processor }: Real): Promise<void> {
  model.reschedule();
  await processor.reScheduleItem('item');
}

async function work(model: ItemModel, { processor, ran }: Real): Promise<void> {
  const before = ran.length;
  const expected = model.work();
  await processor.processJobs();
  expect(ran.slice(before).sort()).toEqual(expected.sort());
}

async function removeJobs(model: ItemModel, { processor }: Real): Promise<void> {
  model.removeJobs();
  await processor.removeJobs();
}

/** Cancels a job by hand before it runs. */
async function cancel(at: number, id: string, model: ItemModel, { processor }: Real): Promise<void> {
  model.job(at).status = 'cancelled';
  await processor.cancelJob(id);
}

/** Lets a job run at once, by hand. */
async function hasten(at: number, id: string, model: ItemModel, { processor }: Real): Promise<void> {
  model.job(at).runAt = model.now;
  await processor.updateJob(id, { delay: 0 });
}

/** Queues a cancelled job by hand, to run in an hour. */
async function restore(at: number, id: string, model: ItemModel, { processor }: Real): Promise<void> {
  model.job(at).status = 'queued';
  model.job(at).runAt = model.now + HOUR;
  await processor.retryJob(id);
  await processor.updateJob(id, { delay: '1h' });
}

/** Expects success, or a refusal because the item would never be due. */
async function expectDone(isDone: boolean, doing: Promise<unknown>): Promise<void> {
  if (isDone) await doing;
  else await expect(doing).rejects.toThrow(ValidationError);
}
