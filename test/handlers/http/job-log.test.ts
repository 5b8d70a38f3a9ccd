import { expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();

const talking = defineJob({
  name: 'talking',
  run: ({ log }) => {
    log('The first');
    log('The second', { bytes: 42, $set: { a: 1 } });
  },
});

test('what a job logged is shown line by line', async () => {
  await api.processor.addJobFactory(talking);
  const id = await api.processor.addJob('talking');
  await api.processor.processJobs();

  const at = expect.stringMatching(/Z$/);
  expect(await (await api.call(`/v1/jobs/${id}/log`, { key: 'key-of-read' })).json()).toEqual({
    lines: [
      { at, attempt: 1, message: 'The first', fields: null },
      { at, attempt: 1, message: 'The second', fields: { bytes: 42, $set: { a: 1 } } },
    ],
    dropped: 0,
  });
});

test('a job that logged nothing has an empty log, one that is not there none', async () => {
  const id = await api.processor.addJob('echo', {});

  expect(await (await api.call(`/v1/jobs/${id}/log`)).json()).toEqual({ lines: [], dropped: 0 });
  await expectProblem(await api.call('/v1/jobs/nobody/log'), 404, 'not_found');
});
