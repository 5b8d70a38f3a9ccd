import { expect, test } from 'vitest';
import { useDatabase } from '../../database.js';
import { echo } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

const weekly = JSON.stringify({
  id: 'weekly',
  type: 'Cron',
  cron: '0 9 * * MON',
  timeZone: 'Europe/Zurich',
  title: 'Every Monday',
  jobName: 'echo',
  input: { kind: 'weekly' },
});

async function prepare() {
  const processor = database.processor();
  await processor.addJobFactory(echo);
  return processor;
}

test('a scheduler item is added, listed, shown, changed, switched and removed', async () => {
  const processor = await prepare();

  const added = await run(['schedules', 'add', '-'], { input: weekly });
  expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^id +weekly\n/) });
  expect(added.out).toMatch(/\nwhen +0 9 \* \* MON Europe\/Zurich\nstate +inactive\n/);
  expect(await json(['schedules', 'get', 'weekly'])).toMatchObject({ id: 'weekly', active: false });

  expect(await json(['schedules', 'activate', 'weekly'])).toMatchObject({ active: true });
  const list = await run(['schedules', 'list']);
  expect(list.out).toMatch(
    /\nweekly +echo +0 9 \* \* MON Europe\/Zurich +active +in \d+[dhms] .* Every Monday\n$/,
  );

  expect(await json(['schedules', 'update', 'weekly', '{ "title": null, "cron": "@daily" }'])).toMatchObject({
    title: '',
    cron: '@daily',
  });
  expect(await json(['schedules', 'deactivate', 'weekly'])).toMatchObject({
    active: false,
    nextCallTime: null,
  });

  expect(await run(['schedules', 'remove', 'weekly'])).toMatchObject({ code: 2 });
  expect(await processor.getScheduler('weekly')).toBeDefined();
  expect(await json(['schedules', 'remove', 'weekly', '--yes'])).toEqual({ removed: 'weekly' });
  expect(await json(['schedules', 'list'])).toEqual({ schedulers: [], cursor: null });
});

test('how often an item is due is told exactly', async () => {
  const processor = await prepare();
  const delays = ['90m', '36h', '1500ms', '1h', '2 days'];
  for (const delay of delays)
    await processor.addScheduler({ id: `every ${delay}`, type: 'Delay', delay, jobName: 'echo', input: {} });

  const { out } = await run(['schedules', 'list']);

  for (const shown of ['90m', '36h', '1500ms', '1h', '2d']) expect(out).toContain(` echo  every ${shown} `);
  expect((await run(['schedules', 'get', 'every 90m'])).out).toMatch(/\nwhen +every 90m\n/);
});

test('run adds a job of the item, and shows its id', async () => {
  const processor = await prepare();
  await processor.addScheduler(JSON.parse(weekly));

  const { code, out } = await run(['schedules', 'run', 'weekly']);

  expect(code).toBe(0);
  expect((await processor.getJob(out.trim()))?.input).toEqual({ kind: 'weekly' });
});

test('preview shows when an item, or one that is not added, is due', async () => {
  const processor = await prepare();
  await processor.addScheduler(JSON.parse(weekly));
  const once = '{ "type": "At", "at": "2999-01-01T00:00:00Z", "jobName": "echo", "input": {} }';

  const added = await run(['schedules', 'preview', 'weekly', '--count', '2']);
  const notAdded = await json(['schedules', 'preview', '--options', once]);

  expect(added.out).toMatch(/^AT +BY THE CLOCK OF ITS ZONE\n(\S+Z +\S+T09:00:00\+0[12]:00\n){2}$/);
  expect(notAdded).toEqual({
    occurrences: [{ at: '2999-01-01T00:00:00.000Z', local: expect.stringMatching(/^2999-01-01T00:00:00/) }],
  });
  expect(await run(['schedules', 'preview'])).toMatchObject({ code: 2 });
});

test('what is wrong with an item is told by its fields', async () => {
  await prepare();
  const { code, err } = await run([
    'schedules',
    'add',
    '{ "type": "Delay", "delay": "never", "jobName": "echo", "input": 1 }',
  ]);
  expect(code).toBe(2);
  expect(err).toMatch(/^error: The request is invalid\n {2}delay: expected milliseconds/);
});

test('an item that is not there exits with 3', async () => {
  for (const command of ['get', 'activate', 'run']) {
    expect(await run(['schedules', command, 'nobody'])).toMatchObject({ code: 3, out: '' });
  }
});

test('the jobs of the last occurrences are listed, and items are searched', async () => {
  const processor = await prepare();
  const job = { jobName: 'echo', input: {} };
  await processor.addScheduler({ ...job, id: 'once', type: 'At', at: new Date(60_000), active: true });
  await processor.addScheduler({ ...job, id: 'other', type: 'Delay', delay: '1h' });
  const [made] = await processor.scheduleDueItems();

  expect((await run(['schedules', 'history', 'once'])).out).toMatch(
    new RegExp(`^DUE +JOB +STATUS\\n1970-01-01T00:01:00.000Z +${made} +queued\\n$`),
  );
  expect((await run(['schedules', 'history', 'other'])).out).toBe(
    'It has made no job that is still there.\n',
  );
  expect(await json(['schedules', 'list', '--text', 'ONC'])).toMatchObject({ schedulers: [{ id: 'once' }] });
});

test('upcoming shows when all active items are due, the soonest first', async () => {
  const processor = await prepare();
  const job = { jobName: 'echo', input: {} };
  expect((await run(['schedules', 'upcoming'])).out).toBe('Nothing is due in this time.\n');
  await processor.addScheduler({ ...job, id: 'half', type: 'Delay', delay: '30m', active: true });
  await processor.addScheduler({
    ...job,
    id: 'rare',
    title: 'Rare',
    type: 'Delay',
    delay: '40m',
    active: true,
  });
  await processor.addScheduler({ ...job, id: 'off', type: 'Delay', delay: '1m' });

  const { out } = await run(['schedules', 'upcoming', '--within', '65m']);

  expect([...out.matchAll(/in \S+ +(\S+)/g)].map(([, id]) => id)).toEqual(['half', 'rare', 'half']);
  expect(await json(['schedules', 'upcoming', '--within', '35m'])).toMatchObject({
    upcoming: [{ id: 'half' }],
  });
  expect(await run(['schedules', 'upcoming', '--within', '8d'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/within.*expected at most 7 days/s),
  });
});
