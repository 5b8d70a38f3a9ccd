import { beforeEach, expect, test } from 'vitest';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'admin');
});

const show = async (path = '/') => textOf(await (await browser.get(path)).text());
const queues = '/dashboard/queues';

test('with nothing in it the overview says so, and what comes next', async () => {
  const text = await show();

  expect(text).toContain('0 queued 0 processing 0 cancelled 0 completed last hour 0 error');
  expect(text).not.toContain('Latest errors');
  expect(text).toContain('Last hour no job ended');
  expect(text).toContain('No schedule is active. See them');
  expect(text).toContain('All well');
  expect(text).toContain('None is at work.');
  const backlog = await show(queues);
  expect(backlog).toContain('Nothing is queued.');
  expect(backlog).toContain('No job is due: the workers are up to date.');
});

test('it shows jobs by status, queues, what waits, what ended lately, and what is due next', async () => {
  await api.processor.addJobs([
    { name: 'echo', input: {} },
    { name: 'echo', input: {} },
    { name: 'failing', options: { priority: 9 } },
  ]);
  await api.processor.drain();
  await api.processor.addJob('anything', null, { queue: 'mail', priority: 3 });
  await api.processor.addJob('anything', null, { queue: 'mail', delay: '1h' });
  await api.processor.addScheduler({
    type: 'Delay',
    delay: '2h',
    title: 'Tidy up',
    jobName: 'echo',
    input: {},
    active: true,
  });

  const text = await show();

  expect(text).toContain('2 queued 0 processing 0 cancelled 2 completed last hour 1 error');
  expect(text).toMatch(
    /Last hour Last 6 hours Last 24 hours Last 7 days Last hour 2 completed, 1 ended in error \(33 %\), \d+ m?s each .* \d+ [A-Z][a-z]{2} \d\d:\d\d \d\d:\d\d \d\d:\d\d completed failed attempts in a minute, below the share that failed; times in UTC As a table From Completed Failed Failure rate /,
  );
  expect(textOf(await (await browser.get('/?range=7d')).text())).toMatch(
    /Last 7 days 2 completed, 1 ended in error .* \d+ [A-Z][a-z]{2} \d\d:\d\d .* attempts in 3 h,/,
  );
  expect(text).toMatch(/Latest errors failing It is hopeless\. (now|\d+ s ago) See all failures Due next/);
  const backlog = await show(queues);
  expect(backlog).toMatch(/mail 1 1 (now|\d+ s ago) open Pause/);
  expect(backlog).toMatch(/anything priority 3/);
  expect(text).toMatch(/Tidy up in \d+ (min|h)/);
});

test('what only paused queues keep back is not told to be all done; a queue is paused before anything waits in it', async () => {
  await browser.submit('/dashboard/queues', { queue: 'mail', action: 'pause' });
  await api.processor.addJob('echo', {}, { queue: 'mail' });

  expect(await show(queues)).toContain('No job is due but those of paused queues');
  expect(await (await browser.get(queues)).text()).toContain('aria-label="Name of the queue"');
  const reader = await signedIn(api, 'write');
  expect(await (await reader.get(queues)).text()).not.toContain('aria-label="Name of the queue"');
});

test('a count that was not finished says so', async () => {
  const created = new Date();
  const jobs = Array.from({ length: 1_001 }, (_, index) => ({
    _id: `job-${index}`,
    status: 'cancelled',
    created,
  }));
  await api.database.db.collection<{ _id: string }>(collectionNames.jobs).insertMany(jobs);

  expect(await show()).toContain('1,000+ cancelled');
});

test('an admin pauses and resumes a queue, nobody else', async () => {
  await api.processor.addJob('echo', {}, { queue: '<b>mail</b>' });
  const html = await (await browser.get(queues)).text();
  expect(html).not.toContain('<b>mail');
  expect(textOf(html)).toContain('<b>mail</b> 1 0');

  for (const role of ['read', 'write'] as const) {
    const limited = await signedIn(api, role);
    expect(await (await limited.get(queues)).text()).not.toContain('value="pause"');
    const answer = await limited.submit('/dashboard/queues', { queue: '<b>mail</b>', action: 'pause' });
    expect(answer.status).toBe(403);
  }
  expect((await api.processor.queues.list()).queues[0]?.paused).toBeNull();

  await browser.submit('/dashboard/queues', { queue: '<b>mail</b>', action: 'pause' });
  expect((await api.processor.queues.list()).queues[0]?.paused).toBeInstanceOf(Date);
  expect(await show(queues)).toContain('Queue <b>mail</b> is paused: what runs goes on.');
  await browser.submit('/dashboard/queues', { queue: '<b>mail</b>', action: 'resume' });
  expect((await api.processor.queues.list()).queues[0]?.paused).toBeNull();
  expect((await browser.submit('/dashboard/queues', { queue: '', action: 'pause' })).status).toBe(422);
  await browser.submit('/dashboard/queues', { queue: 'mail', action: 'pause' });
  for (const action of ['', 'Pause', 'nonsense'])
    expect((await browser.submit('/dashboard/queues', { queue: 'mail', action })).status).toBe(422);
  expect(
    (await api.processor.queues.list()).queues.find(({ name }) => name === 'mail')?.paused,
  ).not.toBeNull();
});
