/** Any order of adding, claiming, ending, crashing, cancelling and retrying jobs of one unique key. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type ClaimedJob, defineJob, RemoteException } from '../../src/index.js';
import { useDatabase } from '../database.js';

const database = useDatabase();

const add = fc.record({
  kind: fc.constant('add' as const),
  mode: fc.constantFrom('keep', 'replace', 'preserveRunAt'),
  until: fc.constantFrom('settled', 'claimed'),
  whileRunning: fc.constantFrom('keep', 'queueOne'),
  isBulk: fc.boolean(),
});
const other = fc.record({
  kind: fc.constantFrom('claim', 'complete', 'fail', 'failForGood', 'crash', 'cancel', 'retry'),
  which: fc.nat({ max: 9 }),
});
const anySteps = fc.array(fc.oneof(add, add, other, other, other), { minLength: 5, maxLength: 25 });

test('the waiting job has the latest input, no key is held twice, and every input that counts is worked on', async () => {
  const worked: number[] = [];
  const job = defineJob({
    name: 'modelled',
    input: z.object({ n: z.number() }),
    retryDelay: 0,
    run: ({ input }) => void worked.push(input.n),
  });
  const processor = database.processor({ maxThreads: 4 });
  await processor.addJobFactory(job);
  const { jobs } = database.collections();

  const property = fc.asyncProperty(anySteps, async (steps) => {
    await jobs.deleteMany({});
    worked.length = 0;
    const claimed: ClaimedJob[] = [];
    const idOf = async (which: number) => {
      const all = await processor.getJobs();
      return all[which % Math.max(1, all.length)]?.id;
    };
    for (const [n, step] of steps.entries()) {
      if (step.kind === 'add') {
        const { mode, until } = step;
        const whileRunning = until === 'claimed' ? 'keep' : step.whileRunning;
        const options = { unique: { key: 'k', mode, until, whileRunning } } as const;
        const before = await jobs.findOne({ uniqueKey: 'k' });
        const [added] = step.isBulk
          ? await processor.jobs.addMany([{ job, input: { n }, options }])
          : [await processor.jobs.add(job, { n }, options)];
        const after = await processor.getJob(added?.id ?? '');
        const isTaken = before?.status === 'queued' || (before && before.uniqueUntil !== 'claimed');
        expect(added?.outcome === 'added').toBe(!isTaken);
        if (before?.status === 'queued') expect(added?.outcome).toBe(mode === 'keep' ? 'kept' : 'replaced');
        if (added?.outcome === 'kept') expect(added).toMatchObject({ id: before?._id, inputDiffers: true });
        else expect(after).toMatchObject({ status: 'queued', uniqueKey: 'k', input: { n } });
      } else if (step.kind === 'claim') {
        const pulled = await processor.pullNextJob();
        if (pulled) claimed.push(pulled);
      } else if (step.kind === 'cancel' || step.kind === 'retry') {
        const id = await idOf(step.which);
        const change = step.kind === 'cancel' ? 'cancelJob' : 'retryJob';
        if (id !== undefined) await processor[change](id).catch(({ code }) => expect(code).toBe('conflict'));
      } else {
        const [held] = claimed.splice(step.which % Math.max(1, claimed.length), 1);
        if (!held) continue;
        if (step.kind === 'complete') {
          worked.push(held.input === undefined ? -1 : z.object({ n: z.number() }).parse(held.input).n);
          await processor.completeJob(held);
        }
        if (step.kind === 'fail') await processor.failJob(held, new Error('again'));
        if (step.kind === 'failForGood') await processor.failJob(held, new RemoteException('no'));
        if (step.kind === 'crash') {
          await jobs.updateOne({ _id: held.id }, { $set: { 'lease.expires': new Date(1) } });
          await processor.recoverJobs();
        }
      }
      expect(await jobs.countDocuments({ uniqueKey: 'k' })).toBeLessThanOrEqual(1);
      expect(await jobs.countDocuments({ status: 'queued', picked: { $exists: false } })).toBeLessThanOrEqual(
        2,
      );
    }
    for (const held of claimed) await processor.failJob(held, new Error('again')).catch(() => {});
    while (await jobs.findOne({ status: 'queued' })) await processor.drain();
    const ended = await processor.getJobs();
    for (const { status, input } of ended) {
      expect(['completed', 'error', 'cancelled']).toContain(status);
      if (status === 'completed') expect(worked).toContain(z.object({ n: z.number() }).parse(input).n);
    }
  });
  await fc.assert(property, { numRuns: 5 });
});
