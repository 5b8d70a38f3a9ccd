import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordReports } from '../../src/job/record-reports.js';
import type { LeasedReport } from '../../src/job/report.js';
import { AttemptReport } from '../../src/worker/attempt-report.js';
import { useDatabase } from '../database.js';
import { echo } from '../jobs.js';

const database = useDatabase();

/** What happens to an attempt and to what it tells, which may be sent again, or arrive after what was sent later. */
const event = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('log', 'progress', 'log 130 lines') },
  { weight: 3, arbitrary: fc.constantFrom('store', 'store without a reply', 'lose') },
  { weight: 2, arbitrary: fc.nat({ max: 20 }) },
);

test('however often, and however late, what an attempt tells arrives: each line is stored once, and no value after a later one', async () => {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  const { jobs } = database.collections();
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40, size: 'max' }), async (events) => {
      const id = await processor.addJob('echo', {});
      const job = await processor.pullNextJob();
      if (job?.id !== id) throw new Error('Another job was pulled.');
      const attempt = new AttemptReport(job, () => undefined);
      const sent: LeasedReport[] = [];
      const stored = { lines: 0, values: 0 };
      let lines = 0;
      let values = 0;

      const log = (count: number) => {
        for (let n = 0; n < count; n += 1) attempt.log(`${lines++}`);
      };
      const arrive = async (told: LeasedReport) => {
        await recordReports(jobs, [told]);
        stored.lines = Math.max(stored.lines, told.report.log?.told ?? 0);
        stored.values = Math.max(stored.values, told.report.progress?.told ?? 0);
      };
      for (const happens of events) {
        const told = attempt.unstored();
        if (happens === 'log') log(1);
        else if (happens === 'log 130 lines') log(130);
        else if (happens === 'progress') await attempt.progress(++values);
        else if (typeof happens === 'number') {
          const again = sent[happens % Math.max(1, sent.length)];
          if (again) await arrive(again);
        } else if (told) {
          sent.push(told);
          if (happens !== 'lose') await arrive(told);
          if (happens === 'store') attempt.stored(told.report);
        }
      }

      const kept = Math.min(stored.lines, 100);
      const found = await processor.jobs.log(id);
      expect(found.dropped).toBe(stored.lines - kept);
      expect(found.lines.map(({ message }) => Number(message))).toEqual(
        Array.from({ length: kept }, (_, index) => stored.lines - kept + index),
      );
      expect((await processor.getJob(id))?.progress).toBe(stored.values || undefined);
      await processor.completeJob(job);
    }),
    { numRuns: 20 },
  );
});
