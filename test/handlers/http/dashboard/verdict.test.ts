import { beforeEach, expect, test } from 'vitest';
import { defineJob, RemoteException } from '../../../../src/index.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

const charge = defineJob({
  name: 'billing.charge',
  run: () => {
    throw new RemoteException('connect ECONNREFUSED 10.0.0.1:443');
  },
});

let browser: Browser;
beforeEach(async () => {
  for (const processor of [api.processor, api.served]) await processor.addJobFactory(charge);
  browser = await signedIn(api, 'admin');
});

const show = async (path: string, by = browser) => (await by.get(path)).text();
const titleOf = (html: string) => /<title>(.*?)<\/title>/.exec(html)?.[1];
const lineOf = (html: string) => textOf(/<aside id="verdict".*?<\/aside>/s.exec(html)?.[0] ?? '').trim();

async function fail(count: number): Promise<void> {
  await api.processor.addJobs(
    Array.from({ length: count }, () => ({ job: charge, options: { queue: 'billing' } })),
  );
  await api.processor.drain();
}

/** Sends the form of a button, as a browser without a script does. */
async function press(html: string, label: string) {
  const forms = [...html.matchAll(/<form method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/gs)];
  const [, path = '', content = ''] = forms.find(([form]) => form.includes(`>${label}</button>`)) ?? [];
  const hidden = content.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  const [, action = ''] = /<button[^>]* name="action" value="([^"]+)"/.exec(content) ?? [];
  return browser.post(path, {
    ...Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, value])),
    action,
  });
}

test('all is well: the overview says so, other pages and their titles say nothing', async () => {
  const overview = await show('/');
  expect(textOf(overview)).toContain('All well');
  expect(titleOf(overview)).toBe('Overview · Remote Processor');
  const jobs = await show('/dashboard/jobs');
  expect(lineOf(jobs)).toBe('');
  expect(titleOf(jobs)).toBe('Jobs · Remote Processor');
});

test('a kind that fails is told on every page and in its title, and its jobs are retried or its queue paused from there', async () => {
  await fail(10);
  const overview = await show('/');
  const text = 'billing.charge: 100 % of attempts fail';
  expect(textOf(overview)).toContain(
    `1 failure failure ${text} (10 of 10 in 15 minutes), most with: connect ECONNREFUSED <host> Began `,
  );
  expect(titleOf(overview)).toBe(`${text} · Overview · Remote Processor`);
  expect(overview).toContain('href="/dashboard/failures?name=billing.charge"');
  expect(overview).not.toContain(' style=');
  for (const path of ['/dashboard/jobs', '/dashboard/schedulers']) {
    const page = await show(path);
    expect(lineOf(page)).toBe(`${text} See`);
    expect(titleOf(page)).toContain(`${text} · `);
  }

  const paused = await press(overview, 'Pause queue billing');
  expect(paused.headers.get('location')).toBe('/');
  expect(await api.processor.queues.pausedSince('billing')).toBeInstanceOf(Date);

  const begun = await press(overview, 'Retry this failure');
  expect(begun.headers.get('location')).toMatch(/^\/dashboard\/operations\/./);
  expect((await api.processor.operations.list()).operations).toMatchObject([
    { action: 'retry', by: 'the-admin' },
  ]);

  const { jobs } = api.database.collections();
  await jobs.updateMany({}, { $set: { status: 'queued', claimable: true, runAt: new Date(1) } });
  await browser.submit('/dashboard/queues', { queue: 'other', action: 'resume' }); // Judges anew.
  expect(textOf(await show('/'))).toContain("warning queue 'billing' is paused, and 10 jobs wait in it");
});

test('who may not act sees what is wrong, and no buttons for it', async () => {
  await fail(5);
  const reader = await signedIn(api, 'read');
  const overview = await show('/', reader);
  expect(textOf(overview)).toContain('1 failure');
  expect(overview).not.toMatch(/Retry this failure|Pause queue/);
  const writer = await show('/', await signedIn(api, 'write'));
  expect(writer).toContain('Retry this failure');
  expect(writer).not.toContain('Pause queue');
});

test('what a limit waits for is resumed on the overview', async () => {
  const limited = defineJob({ name: 'limited', concurrency: { limit: 1 }, run: () => {} });
  await api.processor.addJobFactory(limited);
  await api.processor.addJobs([{ job: limited }, { job: limited }]);
  await api.processor.pullNextJob();
  await api.processor.pullNextJob();
  await api.processor.limits.pause('limited');
  const overview = await show('/');
  expect(textOf(overview)).toContain("1 warning warning limit 'limited' is paused, and jobs wait for it");
  await press(overview, 'Resume');
  expect(await api.processor.limits.get('limited')).toMatchObject({ paused: null });
  expect(textOf(await show('/'))).toContain('All well');
});

test('without indexes, pages say that the state could not be judged', async () => {
  await api.database.collections().jobs.dropIndex('claimable');
  expect(textOf(await show('/'))).toContain('The state could not be judged');
  expect((await browser.get('/dashboard/schedulers')).status).toBe(200);
  await api.processor.ensureIndexes();
});
