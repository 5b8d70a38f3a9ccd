import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../handlers/http/app.js';
import { defineJob, silentLogger } from '../../../src/index.js';
import { Callbacks } from '../../../src/step/callbacks.js';
import { callbacks, expectProblem, useApi } from './api.js';
import { textOf } from './dashboard/page-reader.js';

const api = useApi();

const page = { accept: 'text/html' };
const json = { 'content-type': 'application/json' };
const form = { ...page, 'content-type': 'application/x-www-form-urlencoded' };

let link = '';

const approved = defineJob({
  name: 'order',
  input: z.unknown(),
  run: async ({ step }) => {
    const approval = await step.callback('the <approval>', { timeout: '3 days' });
    link = new URL(approval.url).pathname;
    const answer = await approval.wait();
    await step.waitForSignal('after');
    return answer;
  },
});

/** Adds a job that waits for an answer, and returns its id. */
async function waiting(): Promise<string> {
  await api.processor.addJobFactory(approved);
  const id = await api.processor.addJob('order', {});
  await api.processor.drain();
  return id;
}

const get = (path: string) => fetch(`${api.url}${path}`, { headers: page });
const send = (path: string, headers: Record<string, string>, body: string) =>
  fetch(`${api.url}${path}`, { method: 'POST', headers, body });
const resultOf = async (id: string) => {
  await api.processor.drain();
  await api.processor.signal(id, 'after');
  await api.processor.drain();
  return api.processor.getJobResult(id);
};

beforeEach(() => {
  link = '';
});

test('the page shows what is asked, and neither it nor a link scanner answers', async () => {
  const id = await waiting();
  const response = await get(link);

  expect(response.status).toBe(200);
  const html = await response.text();
  expect(textOf(html)).toContain('The job order waits for your answer.');
  expect(html).toContain('the &lt;approval&gt;');
  expect(html).not.toContain('<script');
  await fetch(`${api.url}${link}`, { method: 'HEAD' });
  expect((await api.processor.jobs.steps(id)).signals).toEqual([]);
  const { headers } = response;
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-robots-tag')).toBe('noindex, nofollow');
  expect(headers.get('referrer-policy')).toBe('same-origin');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*form-action 'self'/);
});

test('the first answer of the form counts, later ones do not, and the token is not logged', async () => {
  const id = await waiting();

  const first = await send(link, form, 'answer=refuse&comment=+too+much%21');
  expect([first.status, textOf(await first.text())]).toEqual([200, expect.stringContaining('Thank you')]);
  const second = await send(link, form, 'answer=approve');
  expect([second.status, textOf(await second.text())]).toEqual([
    409,
    expect.stringContaining('answered before'),
  ]);
  expect((await get(link)).status).toBe(409);
  expect(await resultOf(id)).toEqual({ approved: false, comment: 'too much!' });

  expect(api.logged).toContain('"path":"/callbacks/…"');
  expect(api.logged).not.toContain(link.slice(0, 40));
});

test('a service answers with any JSON', async () => {
  const id = await waiting();

  expect(await (await send(link, json, '[1, {"$set": 2}]')).json()).toEqual({ outcome: 'delivered' });
  await expectProblem(await send(link, json, '2'), 409, 'callback_answered');
  await api.processor.drain();
  await expectProblem(await send(link, json, '2'), 409, 'callback_answered');
  expect(await resultOf(id)).toEqual([1, { $set: 2 }]);
  await expectProblem(await send(link, json, '2'), 409, 'callback_answered');
});

test('a bad answer is refused, and a good one may follow', async () => {
  await waiting();

  await expectProblem(await send(link, json, '{'), 400, 'invalid_body');
  await expectProblem(await send(link, json, JSON.stringify('a'.repeat(65_537))), 422, 'validation_failed');
  const text = await send(link, { 'content-type': 'text/plain' }, '1');
  const { detail } = await expectProblem(text, 415, 'unsupported_media_type');
  expect(detail).toBe('Expected any JSON as application/json, or the form of the page.');
  expect((await send(link, form, 'answer=perhaps')).status).toBe(422);
  expect((await send(link, form, 'answer=approve')).status).toBe(200);
});

test('an answer that the step refuses does not count, so that the link can be used again', async () => {
  const strict = defineJob({
    name: 'strict',
    run: async ({ step }) => {
      const approval = await step.callback('yes', { schema: z.object({ yes: z.literal(true) }) });
      link = new URL(approval.url).pathname;
      return approval.wait();
    },
  });
  await api.processor.addJobFactory(strict);
  const id = await api.processor.addJob('strict');
  await api.processor.drain();

  await send(link, json, '{"yes": 1}');
  await api.processor.drain();
  expect((await send(link, json, '{"yes": true}')).status).toBe(200);
  await api.processor.drain();
  expect(await api.processor.getJobResult(id)).toEqual({ yes: true });
});

test('an expired link is told from a forged one', async () => {
  const links = new Callbacks(callbacks);
  const pathOf = (run: number, step: string, jobId: string) =>
    new URL(links.urlOf({ jobId, run, step })).pathname;
  const id = await waiting();

  await expectProblem(await send(pathOf(2, 'the <approval>', id), json, '1'), 410, 'callback_over');
  await expectProblem(await send(pathOf(1, 'approval', 'gone'), json, '1'), 410, 'callback_over');
  await expectProblem(await send(`${link.slice(0, -2)}xx`, json, '1'), 404, 'not_found');
  await expectProblem(await send('/callbacks/nonsense', json, '1'), 404, 'not_found');
  await api.processor.cancelJob(id);
  await expectProblem(await send(link, json, '1'), 410, 'callback_over');
});

test('forged links are counted by address, and right ones work all the same', async () => {
  await waiting();
  const forge = () => send('/callbacks/nonsense', json, '1');
  for (let n = 0; n < 10; n += 1) expect((await forge()).status).toBe(404);

  await expectProblem(await forge(), 429, 'too_many_wrong_keys');
  expect((await send(link, json, '1')).status).toBe(200);
});

test('without secrets there are no callbacks', async () => {
  const app = createApp({ processor: api.database.processor(), apiKeys: [], log: silentLogger });

  await expectProblem(await app.request('/callbacks/a.b', { method: 'POST' }), 404, 'route_not_found');
});
