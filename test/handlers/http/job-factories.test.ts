import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../src/index.js';
import { expectProblem, useApi } from './api.js';

const api = useApi();

const mail = defineJob({
  name: 'mail/send',
  input: z.strictObject({ to: z.string() }),
  maxRetries: 7,
  priority: 2,
  retention: { error: '1d' },
  run: async () => null,
});

test('the kinds of jobs are listed with the schemas of their inputs', async () => {
  const listed = await (await api.call('/v1/job-factories', { key: 'key-of-read' })).json();

  expect(listed).toMatchObject({
    jobFactories: [{ name: 'anything' }, { name: 'echo' }, { name: 'failing' }],
  });
  expect(await (await api.call('/v1/job-factories/echo')).json()).toEqual({
    name: 'echo',
    inputSchema: expect.objectContaining({ type: 'object' }),
    inputOptional: false,
    addRole: 'write',
    searchable: [],
    redact: [],
    version: 1,
    defaults: { queue: 'default', priority: 0, maxRetries: 3, retryDelay: 10_000, retention: null },
  });
});

test('a kind of job is shown by its name, decoded', async () => {
  await api.processor.addJobFactory(mail);

  const shown = await (await api.call('/v1/job-factories/mail%2Fsend')).json();

  expect(shown).toMatchObject({
    name: 'mail/send',
    inputSchema: { properties: { to: { type: 'string' } }, required: ['to'] },
    defaults: { maxRetries: 7, priority: 2, retention: { error: 86_400_000 } },
  });
});

test('a kind of job whose input has no JSON Schema says so: its worker alone checks it', async () => {
  const odd = defineJob({ name: 'odd', input: z.custom(() => true), run: async () => null });
  await api.processor.addJobFactory(odd);

  expect(await (await api.call('/v1/job-factories/odd')).json()).toMatchObject({ inputSchema: {} });
});

test.each(['nobody', '__proto__', 'constructor', '%24where', '%'])(
  'there is no kind named %s',
  async (name) => {
    await expectProblem(await api.call(`/v1/job-factories/${name}`), 404, 'not_found');
  },
);
