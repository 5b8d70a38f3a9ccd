import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestProcessor, runJob } from 'remote-processor/testing';
import { greet, jobs, schedules } from '../src/jobs.js';

test('greets by name', async () => {
  const { output } = await runJob(greet, { name: 'Ada' });
  assert.equal(output, 'Hello, Ada');
});

test('greets everybody on workdays at eight', async () => {
  const processor = await createTestProcessor({ jobs, now: new Date('2026-01-30T12:00:00Z') }); // a Friday
  try {
    await processor.syncSchedulers(schedules);
    const ended = await processor.advance('4 days');
    const moments = ended.map(({ jobName, at }) => `${jobName} ${at.toISOString()}`);
    assert.deepEqual(moments, ['greet 2026-02-02T07:00:00.000Z', 'greet 2026-02-03T07:00:00.000Z']);
  } finally {
    await processor.close();
  }
});
