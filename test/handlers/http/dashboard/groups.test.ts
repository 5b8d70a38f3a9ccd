import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../../src/index.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

const load = defineJob({
  name: 'load',
  input: z.number(),
  maxRetries: 1,
  run: ({ input }) => {
    if (input < 0) throw new Error(`no <b>${input}</b>`);
  },
});
const parent = defineJob({
  name: 'parent',
  maxRetries: 1,
  run: async ({ step }) => {
    await step.fanOut('all', load, [1, -1], { onError: 'collect' });
    await step.waitForSignal('go on');
  },
});
const guarded = defineJob({ name: 'guarded', addRole: 'admin', run: () => {} });
const one = { job: load, input: 1 };

async function withKinds() {
  for (const processor of [api.processor, api.served])
    await processor.addJobFactories([load, parent, guarded]);
}

const shown = async (browser: Browser, path: string) => textOf(await (await browser.get(path)).text());

test('batches are listed with their progress, and the page of one begins with what failed', async () => {
  await withKinds();
  const browser = await signedIn(api, 'write');
  expect(await shown(browser, '/dashboard/batches')).toContain('There are no batches.');
  await api.processor.addBatch([one, one, { ...one, input: -1 }], { id: 'a/b', then: one });
  await api.processor.processNextJob();
  expect(await shown(browser, '/dashboard/batches')).toMatch(
    /a\/b running 33 % 1 of 3 \d+\/(s|min), about .* left/,
  );
  await api.processor.drain();

  const html = await (await browser.get('/dashboard/batches/a%2Fb')).text();
  expect(textOf(html)).toMatch(/failed .* 2 of 3, 1 failed .* Failed first a\/b\.000002 no <b>-1<\/b> error/);
  expect(html).toContain('href="/dashboard/jobs/a%2Fb.then"');
  expect(html).not.toMatch(/<b>| style=|>\s*Remove\s*</);
  expect(await shown(browser, '/dashboard/jobs/a%2Fb.then')).toContain('Once batch a/b has completed.');
  expect(await shown(browser, '/dashboard/jobs')).toContain('waits for batch a/b');
  expect(await shown(browser, '/dashboard/jobs/a%2Fb.000002')).toContain('Belongs to batch a/b');
});

test('a batch is retried, cancelled and removed, by those who may', async () => {
  await withKinds();
  await api.processor.addBatch([one, { name: 'guarded' }], { id: 'b' });
  const writer = await signedIn(api, 'write');
  const reader = await signedIn(api, 'read');
  const act = (browser: Browser, action: string, more = {}) =>
    browser.submit('/dashboard/batches', { id: 'b', action, ...more });

  expect((await act(reader, 'cancel')).status).toBe(403);
  await act(writer, 'cancel');
  expect(await shown(writer, '/dashboard/batches/b')).toContain('Cancelled, or asked to stop: 2 jobs.');
  await act(writer, 'retry');
  expect(await shown(writer, '/dashboard/batches/b')).toContain("Not done: The role 'admin' is required");
  expect((await act(writer, 'remove')).status).toBe(403);
  const admin = await signedIn(api, 'admin');
  expect(await (await act(admin, 'remove')).text()).toContain('Remove this batch with its jobs for good?');
  const removed = await act(admin, 'remove', { confirmed: 'yes' });
  expect(removed.headers.get('location')).toBe('/dashboard/batches');
  expect(await api.storedJobs()).toBe(0);
  expect((await admin.get('/dashboard/batches/b')).status).toBe(404);
});

test('a workflow is drawn, and told in words', async () => {
  await withKinds();
  await api.processor.addWorkflow({
    id: 'nightly',
    jobs: {
      extract: one,
      load: { ...one, input: -1, after: ['extract'] },
      'a-name-that-is-much-too-long': { ...one, after: ['extract', 'load'], when: 'settled' },
      report: { ...one, after: ['load'] },
    },
  });
  await api.processor.drain();
  const browser = await signedIn(api, 'read');
  expect(await shown(browser, '/dashboard/workflows')).toMatch(/nightly failed 50 % 2 of 4, 1 failed/);
  const html = await (await browser.get('/dashboard/workflows/nightly')).text();
  expect(html.match(/<path /g)).toHaveLength(4);
  expect(html).toMatch(/<a href="\/dashboard\/jobs\/nightly\.load" class="error" aria-label="load: error">/);
  expect(html).toContain('a-name-that-is-muc…');
  expect(textOf(html)).toMatch(/report load waits load –/);
  expect(textOf(html)).toContain('completed extract, load however they end');
  expect(html).not.toMatch(/ style=|<b>/);
  expect(await shown(browser, '/dashboard/jobs/nightly.report')).toContain(
    'Once job nightly.load has completed.',
  );
});

test('the page of a job shows the jobs below it, those that failed first', async () => {
  await withKinds();
  await api.processor.addJob(parent, undefined, { id: 'p' });
  await api.processor.drain();
  const browser = await signedIn(api, 'write');
  const text = await shown(browser, '/dashboard/jobs/p');
  expect(text).toMatch(
    /Jobs below it .* Failed load error .*000001 no <b>-1<\/b> All load completed .* load error/,
  );
  const [child] = (await api.processor.jobs.children('p')).jobs;
  expect(await shown(browser, `/dashboard/jobs/${encodeURIComponent(child?.id ?? '')}`)).toContain(
    'Belongs to job p',
  );
});
