import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../../src/index.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

const order = defineJob({
  name: 'order',
  input: z.string().optional(),
  run: async ({ step, input }) => {
    await step.run('charge <b>', { retry: { attempts: 1 } }, () => {
      if (input === 'poor') throw new Error('no funds');
      return 'a secret result';
    });
    const approval = await step.callback('approval');
    const answer = await approval.wait();
    await step.sleep('cool down', '2 days');
    return answer;
  },
});

async function added(input?: string): Promise<string> {
  await api.processor.addJobFactory(order);
  const id = await api.processor.addJob(order, input);
  await api.processor.drain();
  return `/dashboard/jobs/${id}`;
}

const shown = async (browser: Browser, path: string) => textOf(await (await browser.get(path)).text());

test('the page of a job shows its steps and what it waits for, and a person answers there', async () => {
  const browser = await signedIn(api, 'write');
  const path = await added();

  expect(await shown(browser, '/dashboard/jobs')).toContain('waits for approval');
  const html = await (await browser.get(path)).text();
  expect(textOf(html)).toMatch(/charge <b> run completed .* approval signal waits waits for approval/);
  expect(html).toContain('charge &lt;b&gt;');
  expect(html).not.toMatch(/a secret result|9999| style=/);
  expect(await (await browser.get(`${path}/steps.json`)).json()).toMatchObject({
    steps: [{ name: 'charge <b>', result: 'a secret result' }],
  });

  const [, name = ''] = /name="name" value="(callback 1 approval)"/.exec(html) ?? [];
  const answered = await browser.submit(`${path}/signals`, { name, answer: 'refuse', comment: ' no ' });
  expect(answered.headers.get('location')).toBe(path);
  expect(await shown(browser, path)).toContain('Your answer was stored.');
  await browser.submit(`${path}/signals`, { name, answer: 'approve' });
  expect(await shown(browser, path)).toContain('It was answered before.');
  await api.processor.drain();
  expect(await shown(browser, path)).toMatch(/It sleeps until in (47 h|2 days)/);
  expect(await (await browser.get(`${path}/steps.json`)).json()).toMatchObject({
    steps: [{}, { name: 'approval', result: { approved: false, comment: 'no' } }],
  });
});

test('any signal can be sent, by those who may', async () => {
  const path = await added();
  const writer = await signedIn(api, 'write');
  const reader = await signedIn(api, 'read');

  await writer.submit(`${path}/signals`, { name: 'paid', payload: '{ "$amount": 12 }' });
  expect((await writer.submit(`${path}/signals`, { name: 'paid', payload: '{' })).status).toBe(422);
  expect((await writer.submit(`${path}/signals`, { name: '', payload: '' })).status).toBe(422);
  expect((await reader.submit(`${path}/signals`, { name: 'paid' })).status).toBe(403);
  expect(await shown(reader, path)).toMatch(/Signals that no step has taken: paid/);
  expect(await shown(reader, path)).not.toContain('Approve');
  const { signals } = await api.processor.jobs.steps(path.replace(/.*\//, ''));
  expect(signals).toMatchObject([{ name: 'paid', payload: { $amount: 12 } }]);
});

test('it is said from which step a retry goes on', async () => {
  const browser = await signedIn(api, 'write');
  const text = await shown(browser, await added('poor'));

  expect(text).toContain('failed');
  expect(text).toContain('no funds');
  expect(text).toContain('Retry goes on from charge <b>.');
});
