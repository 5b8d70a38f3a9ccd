import { beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { routes } from '../../../handlers/http/routes.js';
import { defineJob } from '../../../src/index.js';
import { MASK } from '../../../src/job/redacted-paths.js';
import { collectionNames } from '../../collection-names.js';
import { useApi } from './api.js';
import { signedIn } from './browser.js';

const api = useApi();

const NUMBER = '4111111111111111';
const input = { order: 7, card: { number: NUMBER }, tokens: ['tok_first', 'tok_second'] };

/** Returns and keeps its values, and fails with them when it should. The app has no code of it. */
const charge = defineJob({
  name: 'charge',
  input: z.object({
    order: z.number(),
    card: z.object({ number: z.string() }),
    tokens: z.array(z.string()),
    fails: z.boolean().optional(),
  }),
  redact: ['card.number', 'tokens.*'],
  searchable: ['order'],
  maxRetries: 1,
  run: async ({ input: given, step, log, progress }) => {
    log(`with ${given.card.number}`);
    await progress({ at: given.tokens[0] });
    await step.run('pay', () => ({ card: given.card, said: `took ${given.card.number}` }));
    if (given.fails) throw new Error(`not with ${given.card.number}`);
    return { card: given.card, receipt: `for ${given.tokens.join()}` };
  },
});

const ids = { good: 'good', bad: 'bad', waiting: 'waiting', schedule: 'charging' };
const group = 'together';

beforeEach(async () => {
  const { processor } = api;
  await processor.addJobFactory(charge);
  await processor.addJob(charge, input, { id: ids.good });
  await processor.addJob(charge, { ...input, fails: true }, { id: ids.bad });
  await processor.addBatch([{ job: charge, input }], { id: group });
  await processor.addWorkflow({ id: group, jobs: { only: { job: charge, input } } });
  await processor.processJobs();
  await processor.addJob(charge, input, { id: ids.waiting, delay: '1h' });
  await processor.signal(ids.waiting, 'paid', { card: input.card, text: `by ${NUMBER}` });
  await processor.addScheduler({ id: ids.schedule, type: 'Delay', delay: '1h', jobName: 'charge', input });
});

function expectMasked(text: string): void {
  expect(text).not.toContain('4111');
  expect(text).not.toMatch(/tok_(first|second)/);
}

/** Addresses of all that can be read. */
const readable = routes
  .filter(({ method }) => method === 'GET')
  .flatMap(({ path }) => {
    if (path.startsWith('/v1/jobs/')) return Object.values(ids).map((id) => path.replace('{id}', id));
    if (/batches|workflows/.test(path)) return [path.replace('{id}', group)];
    return [path.replace('{id}', ids.schedule).replace('{name}', 'charge')];
  });

test.each(['read', 'write'])('the role %s sees no redacted value, whatever it reads', async (role) => {
  const seen: string[] = [];
  for (const path of readable) seen.push(await (await api.call(path, { key: `key-of-${role}` })).text());

  expectMasked(seen.join('\n'));
  expect(seen.join('\n')).toContain(MASK);
  const good = await (await api.call(`/v1/jobs/${ids.good}`, { key: `key-of-${role}` })).json();
  expect(good).toMatchObject({
    input: { order: 7, card: { number: MASK }, tokens: [MASK, MASK] },
    output: { card: { number: MASK }, receipt: `for ${MASK},${MASK}` },
    progress: { at: MASK },
    keys: ['order=7'],
  });
});

test('the role admin sees the values', async () => {
  const good = await (await api.call(`/v1/jobs/${ids.good}`, { key: 'key-of-admin' })).json();
  expect(good).toMatchObject({ input, output: { card: input.card }, progress: { at: MASK } });
  const steps = await (await api.call(`/v1/jobs/${ids.good}/steps`, { key: 'key-of-admin' })).text();
  expect(steps).toContain(NUMBER);
  const results = await api.call(`/v1/batches/${group}/results`, { key: 'key-of-admin' });
  expect(await results.text()).toContain(NUMBER);
  const item = await (await api.call(`/v1/schedulers/${ids.schedule}`, { key: 'key-of-admin' })).json();
  expect(item).toMatchObject({ input });
});

test('what a writer changes is answered with masks', async () => {
  const answers = [
    await api.call(`/v1/jobs/${ids.waiting}`, { method: 'PATCH', body: { priority: 3 } }),
    await api.call(`/v1/schedulers/${ids.schedule}`, { method: 'PATCH', body: { title: 'x' } }),
    await api.call(`/v1/schedulers/${ids.schedule}/activate`, { method: 'POST' }),
    await api.call(`/v1/schedulers/${ids.schedule}/deactivate`, { method: 'POST' }),
    await api.call('/v1/schedulers', {
      body: { id: 'second', type: 'Delay', delay: '1h', jobName: 'charge', input },
    }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBeLessThan(300);
    const text = await answer.text();
    expectMasked(text);
    expect(text).toContain(MASK);
  }
});

test('the dashboard shows no redacted value, and shows them to an admin', async () => {
  const paths = [
    '/',
    '/dashboard/jobs',
    '/dashboard/failures',
    '/dashboard/kinds',
    '/dashboard/kinds/charge',
    '/dashboard/audit',
    `/dashboard/batches/${group}`,
    `/dashboard/workflows/${group}`,
    `/dashboard/schedulers/${ids.schedule}`,
    `/dashboard/job-factories/charge?from=${ids.good}`,
    ...[ids.good, ids.bad, ids.waiting].flatMap((id) =>
      ['', '/input.json', '/output.json', '/steps.json'].map((part) => `/dashboard/jobs/${id}${part}`),
    ),
  ];
  for (const role of ['read', 'write'] as const) {
    const browser = await signedIn(api, role);
    for (const path of paths) expectMasked(await (await browser.get(path)).text());
  }
  const admin = await signedIn(api, 'admin');
  for (const path of paths.filter((each) => /good$|charging/.test(each)))
    expect(await (await admin.get(path)).text(), path).toContain(NUMBER);
});

test('a schedule that a writer edits keeps its values, and another input is refused with the mask', async () => {
  const browser = await signedIn(api, 'write');
  const path = `/dashboard/schedulers/${ids.schedule}`;
  const page = await (await browser.get(path)).text();
  const version = /name="version" value="(\d+)"/.exec(page)?.[1] ?? '';
  const text = JSON.stringify({
    type: 'Delay',
    delay: '2h',
    title: 'Edited',
    jobName: 'charge',
    input: { ...input, card: { number: MASK }, tokens: [MASK, 'tok_new'] },
  });

  expect((await browser.submit(path, { version, text })).status).toBe(303);

  const edited = await api.processor.getScheduler(ids.schedule);
  expect(edited).toMatchObject({ title: 'Edited', input: { ...input, tokens: ['tok_first', 'tok_new'] } });
  const refused = await api.call(`/v1/schedulers/${ids.schedule}`, {
    method: 'PATCH',
    body: { input: { ...input, tokens: [MASK] } },
  });
  expect(await refused.json()).toMatchObject({ issues: [{ path: 'input.tokens.0' }] });
});

test('a writer runs a job again with its values, and cannot give them to another kind', async () => {
  const browser = await signedIn(api, 'write');
  const json = JSON.stringify({ ...input, order: 8, card: { number: MASK }, tokens: [MASK, MASK] });
  const fields = { as: 'json', from: ids.good, '["input"]': json };

  const added = await browser.submit('/dashboard/job-factories/charge', fields);
  const other = await browser.submit('/dashboard/job-factories/anything', fields);
  const without = await browser.submit('/dashboard/job-factories/charge', { as: 'json', '["input"]': json });

  const idOf = (answer: Response) => answer.headers.get('location')?.split('/').at(-1) ?? '';
  expect((await api.processor.getJob(idOf(added)))?.input).toEqual({ ...input, order: 8 });
  expect(JSON.stringify((await api.processor.getJob(idOf(other)))?.input)).toContain(MASK);
  expect(without.status).toBe(422);
});

test('of a kind that nobody knows any more, only an admin sees values', async () => {
  await api.database.db.collection(collectionNames.jobFactories).deleteOne({ _id: 'charge' as never });

  const job = await (await api.call(`/v1/jobs/${ids.good}`)).json();

  expect(job).toMatchObject({ input: MASK, output: MASK, progress: MASK, keys: [] });
  expectMasked(await (await api.call(`/v1/jobs/${ids.good}/steps`)).text());
});

test('nothing is logged of a value', async () => {
  await api.call('/v1/jobs', {
    body: { name: 'charge', input: { ...input, card: { number: NUMBER, extra: 1 }, tokens: 7 } },
  });
  await api.call('/v1/jobs', { body: { name: 'charge', input: { ...input, order: NUMBER } } });
  expectMasked(api.logged);
});
