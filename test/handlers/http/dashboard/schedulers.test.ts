import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { controlsOf, textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/schedulers';
const item = {
  id: 'a/b %',
  type: 'Cron',
  cron: '30 2 * * *',
  timeZone: 'Europe/Zurich',
  title: 'Nightly <b>report</b>',
  description: '"><script>alert(1)</script>',
  jobName: 'echo',
  input: { '<i>': '</textarea><script>' },
} as const;
const page = `${list}/a%2Fb%20%25`;
const asJson = `${page}?as=json`;
const addition = '/dashboard/new-scheduler';

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'admin');
});

const confirmed = { confirmed: 'yes' };

const textIn = (html: string) => controlsOf(html).find(({ name }) => name === 'text');

test('without schedules it is said how to make one', async () => {
  expect(textOf(await (await browser.get(list)).text())).toContain('No schedules yet. Add one here');
});

test('an item is listed, and shown with its next ten occurrences in UTC and in its zone; all of it is text', async () => {
  await api.processor.addScheduler(item);

  for (const path of [list, page]) {
    const html = await (await browser.get(path)).text();
    expect(textOf(html)).toContain('Nightly <b>report</b>');
    expect(html).not.toMatch(/<b>|<i>|<script>/);
  }
  const html = await (await browser.get(page)).text();
  const occurrences = await api.processor.schedules.preview(item.id);
  expect(occurrences).toHaveLength(10);
  for (const { at, local } of occurrences) {
    expect(html).toContain(`${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`);
    expect(html).toContain(local.replace('T', ' '));
  }
});

test('an item whose job should have been made a while ago is late', async () => {
  await api.processor.addScheduler({ ...item, active: true });
  expect(textOf(await (await browser.get(page)).text())).toContain('State active');
  const nextCallTime = new Date(Date.now() - 6 * 60_000);
  await api.database.collections().scheduler.updateOne({ _id: item.id }, { $set: { nextCallTime } });

  expect(textOf(await (await browser.get(page)).text())).toContain('State late');
  expect(textOf(await (await browser.get(list)).text())).toContain('6 min ago – late');
});

test('an interval is told exactly, a moment in UTC once, and the last job is linked', async () => {
  const { title, jobName, input } = item;
  for (const [id, delay] of [
    ['hourly', '1h'],
    ['daily', '1d'],
    ['odd', '90s'],
  ] as const)
    await api.processor.addScheduler({ id, type: 'Delay', delay, title, jobName, input });
  await api.processor.addScheduler({
    type: 'At',
    id: 'once',
    at: new Date(0),
    jobName,
    input: {},
    active: true,
  });
  const [made] = await api.processor.scheduleDueItems();

  const html = await (await browser.get(list)).text();
  expect(textOf(html)).toMatch(/every 1 h .*every 90 s/);
  expect(textOf(html)).toContain('every 1 day');
  expect(html).toContain(`<a href="/dashboard/jobs/${made}"><time`);
  expect(textOf(await (await browser.get(`${list}/hourly`)).text())).not.toContain('In its time zone');
  expect(textOf(await (await browser.get(`${list}/hourly`)).text())).not.toContain('By its clock');
});

test('an item is switched on and off, from the list and from its page', async () => {
  await api.processor.addScheduler(item);

  const answer = await browser.submit(`${page}/activate`, { from: 'list' });
  expect(answer.headers.get('location')).toBe(list);
  expect((await api.processor.getScheduler(item.id))?.active).toBe(true);
  expect(textOf(await (await browser.get(list)).text())).toContain('Switched on.');
  expect(textOf(await (await browser.get(list)).text())).not.toContain('Switched on.');

  expect((await browser.submit(`${page}/deactivate`, {})).headers.get('location')).toBe(page);
  expect((await api.processor.getScheduler(item.id))?.active).toBe(false);
});

test('one that would never be due any more says why it stays off', async () => {
  await api.processor.addScheduler({ ...item, id: 'past', endAt: '2999-01-01T00:00:00Z' });
  await api.database.db.collection(collectionNames.scheduler).updateOne({}, { $set: { endAt: new Date(0) } });

  await browser.submit(`${list}/past/activate`, { from: 'list' });

  expect(await (await browser.get(list)).text()).toMatch(/class="notice problem">[^<]*would never be due/);
});

test('an item is run now, which leads to the job', async () => {
  await api.processor.addScheduler(item);

  const answer = await browser.submit(`${page}/run`, {});

  const [job] = await api.processor.getJobs();
  expect(job).toMatchObject({ jobName: 'echo', input: item.input });
  expect(answer.headers.get('location')).toBe(`/dashboard/jobs/${job?.id}`);
  expect(api.kicks).toBe(1);
});

test('an item is changed as JSON: what is left out is taken away', async () => {
  await api.processor.addScheduler(item);
  const text = textIn(await (await browser.get(asJson)).text())?.value ?? '';
  const { title: _, timeZone: __, ...rest } = JSON.parse(text);
  expect(rest).toMatchObject({ type: 'Cron', cron: '30 2 * * *', jobName: 'echo', input: item.input });

  const answer = await browser.submit(page, {
    text: JSON.stringify({ ...rest, cron: '@hourly' }),
    version: '1',
  });

  expect(answer.status).toBe(303);
  expect(await api.processor.getScheduler(item.id)).toMatchObject({
    cron: '@hourly',
    title: '',
    timeZone: 'UTC',
    description: item.description,
  });
});

test.each([
  ['{"type":"Cron",\n"cron":"61 * * * *","jobName":"echo","input":{}}', 'Line 2, cron :'],
  ['{"type":"Delay","delay":1,"jobName":"echo","input":{}}', 'delay : expected a delay of at least 1 second'],
  ['{"type":"Cron","cron":"@daily","jobName":"nobody"}', "jobName : No job factory is named 'nobody'"],
  ['{"type":"Cron","cron":"@daily","jobName":"echo","input":1}', 'input'],
  ['{', 'this is not JSON'],
  ['[]', 'expected a JSON object'],
  ['"</textarea><script>"', 'expected a JSON object'],
])('%s is refused, with the field, and stays to be corrected', async (text, expected) => {
  await api.processor.addScheduler({ ...item, title: 'as it was' });
  for (const [path, id] of [
    [page, item.id],
    [addition, 'none'],
  ] as const) {
    const answer = await browser.submit(path, { text, version: '1' });

    expect(answer.status).toBe(422);
    const html = await answer.text();
    expect(textOf(html)).toContain(expected);
    expect(textIn(html)).toEqual({ name: 'text', value: text, isWrong: true });
    expect(html).not.toContain('<script>"');
    expect((await api.processor.getScheduler(id))?.title).toBe(id === item.id ? 'as it was' : undefined);
  }
  expect(await api.processor.getSchedulers()).toHaveLength(1);
});

test.each(['Cron', 'Delay', 'At', '<script>'])(
  'an item is added, beginning with a template: %s',
  async (type) => {
    const html = await (await browser.get(`${addition}?as=json&type=${encodeURIComponent(type)}`)).text();
    const template = JSON.parse(textIn(html)?.value ?? '');

    const answer = await browser.submit(addition, {
      text: JSON.stringify({ ...template, jobName: 'echo' }),
    });

    expect(answer.status).toBe(303);
    const [added] = await api.processor.getSchedulers();
    expect(added).toMatchObject({
      type: type === '<script>' ? 'Cron' : type,
      jobName: 'echo',
      active: false,
    });
    expect(answer.headers.get('location')).toBe(`${list}/${added?.id}`);
  },
);

test('an item is saved at its own address, so that a refused save can be read again there', async () => {
  await api.processor.addScheduler(item);
  const html = await (await browser.submit(page, { text: '{', version: '1' })).text();

  const [form = ''] = html.split('<textarea')[0]?.split('<form').slice(-1) ?? [];
  const [, action = ''] = /action="([^"]*)"/.exec(form) ?? [];

  expect(action).toBe(page);
  expect((await browser.get(action)).status).toBe(200);
});

test.each(['new', 'new-scheduler', 'edit', 'run'])('an item with the id %s has its page', async (id) => {
  await api.processor.addScheduler({ ...item, id });

  const html = await (await browser.get(`${list}/${id}?as=json`)).text();

  expect(JSON.parse(textIn(html)?.value ?? '')).toMatchObject({ title: item.title });
});

test('what somebody else saved meanwhile is not overwritten, but shown beside what was typed', async () => {
  await api.processor.addScheduler(item);
  const mine = controlsOf(await (await browser.get(page)).text());
  const version = (controls: typeof mine) => controls.find(({ name }) => name === 'version')?.value ?? '';
  await api.processor.updateScheduler(item.id, { title: 'Of somebody else' });
  const text = JSON.stringify({ type: 'Cron', cron: '@hourly', jobName: 'echo', input: {}, title: 'Mine' });

  const refused = await browser.submit(page, { text, version: version(mine) });

  expect(refused.status).toBe(409);
  const html = await refused.text();
  expect(textOf(html)).toMatch(/changed it meanwhile.*"title": "Of somebody else"/);
  expect(textIn(html)?.value).toBe(text);
  expect((await api.processor.getScheduler(item.id))?.title).toBe('Of somebody else');
  expect((await browser.submit(page, { text })).status).toBe(409);

  const again = await browser.submit(page, { text, version: version(controlsOf(html)) });
  expect(again.status).toBe(303);
  expect((await api.processor.getScheduler(item.id))?.title).toBe('Mine');
});

test('two changes of different fields are put together, and of the same field both are shown', async () => {
  await api.processor.addScheduler({ ...item, title: 'Old', catchUp: 'once' });
  const before = controlsOf(await (await browser.get(asJson)).text());
  const sent = (name: string) => before.find((control) => control.name === name)?.value ?? '';
  const mine = { ...JSON.parse(sent('text')), input: { a: 1, b: 'mine' }, overlap: 'skip' };
  await api.processor.updateScheduler(item.id, { title: 'Theirs', input: { a: 1, b: 'theirs' } });

  const refused = await browser.submit(page, {
    ...{ text: JSON.stringify(mine), version: sent('version'), base: sent('base') },
  });

  const html = await refused.text();
  expect(refused.status).toBe(409);
  expect(textOf(html)).toMatch(
    /not saved. Their title was put into your text. You both changed input: your text has yours. Save again to keep the text below. - Theirs: "b": "theirs" \+ Yours: "b": "mine" As JSON/,
  );
  expect(JSON.parse(textIn(html)?.value ?? '')).toEqual({ ...mine, title: 'Theirs' });
  const again = Object.fromEntries(controlsOf(html).map(({ name, value }) => [name, value]));
  expect((await browser.submit(page, again)).status).toBe(303);
  expect(await api.processor.getScheduler(item.id)).toMatchObject({
    ...{ title: 'Theirs', overlap: 'skip', input: { a: 1, b: 'mine' } },
  });
});

test('of two who save at the same moment one is told', async () => {
  await api.processor.addScheduler(item);
  const save = (title: string) =>
    browser.submit(page, {
      text: JSON.stringify({ type: 'Cron', cron: '@hourly', jobName: 'echo', input: {}, title }),
      version: '1',
    });

  const answers = await Promise.all([save('One'), save('Two')]);

  expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409]);
});

test('an id that is taken is told', async () => {
  await api.processor.addScheduler(item);

  const answer = await browser.submit(addition, { text: JSON.stringify(item) });

  expect(answer.status).toBe(422);
  expect(textOf(await answer.text())).toContain('id :');
});

test('what each role may do is shown to it, and anything else is refused', async () => {
  await api.processor.addScheduler(item);
  const attempts = ['/activate', '/deactivate', '/run', '', '/remove'];
  const mayDo = { read: [], write: attempts.slice(0, 4), admin: attempts } as const;
  for (const role of ['read', 'write'] as const) {
    const limited = await signedIn(api, role);
    const html = await (await limited.get(page)).text();
    for (const attempt of attempts.filter((name) => !mayDo[role].some((allowed) => allowed === name))) {
      if (attempt !== '') expect(html).not.toMatch(new RegExp(`action="[^"]*${attempt}"`));
      expect((await limited.submit(page + attempt, { text: '{}', version: '1' })).status).toBe(403);
    }
    expect(/<fieldset class="whole" disabled/.test(html)).toBe(role === 'read');
    expect((await limited.get(addition)).status).toBe(role === 'read' ? 403 : 200);
  }
  expect(await api.processor.getScheduler(item.id)).toMatchObject({ active: false });
  expect(await api.storedJobs()).toBe(0);

  expect(textOf(await (await browser.submit(`${page}/remove`, {})).text())).toContain(
    `Remove ${item.title}?`,
  );
  expect(await api.processor.getSchedulers()).toHaveLength(1);
  expect((await browser.submit(`${page}/remove`, confirmed)).headers.get('location')).toBe(list);
  expect(await api.processor.getSchedulers()).toEqual([]);
});

test('one that is not there is not found, as a page', async () => {
  const answer = await browser.get(`${list}/nobody%3Cb%3E`);

  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(textOf(await answer.text())).toContain("There is no scheduler item with the id 'nobody<b>'.");
});

const sent = (html: string, change: Readonly<Record<string, string>> = {}) => ({
  ...Object.fromEntries(controlsOf(html).map(({ name, value }) => [name, value])),
  ...change,
});
const control = (...path: string[]) => JSON.stringify(path);

test('a schedule is added by fields: its pattern in words, its next times, and the input of its job', async () => {
  const input = z.object({ to: z.string(), copies: z.int().optional() });
  await api.processor.addJobFactory(defineJob({ name: 'mail', input, run: () => {} }));
  const empty = await (await browser.get(`${addition}?type=Cron`)).text();
  expect(textOf(empty)).toMatch(/at 09:00, Monday to Friday \(UTC\) Next, by the clock there: \d{4}-/);
  const filled = sent(empty, {
    [control('schedule', 'id')]: 'weekly',
    [control('schedule', 'cron')]: '30 6 * * MON',
    [control('schedule', 'timeZone')]: 'Europe/Zurich',
    [control('schedule', 'jobName')]: 'mail',
    [control('schedule', 'jitter')]: '5m',
  });

  const shown = await browser.submit(addition, { ...filled, change: '{"show":"fields"}' });
  const html = await shown.text();
  expect(shown.status).toBe(200);
  expect(textOf(html)).toContain('at 06:30, Monday (Europe/Zurich)');
  expect(html).toMatch(/<ol><li><time datetime="[^"]+">\d{4}-\d\d-\d\d 06:30:00<\/time>/);
  expect(await api.processor.getSchedulers()).toEqual([]);

  const wrong = await browser.submit(addition, sent(html, { [control('schedule', 'cron')]: '61 * * * *' }));
  expect(wrong.status).toBe(422);
  expect(controlsOf(await wrong.text())).toContainEqual({
    ...{ name: control('schedule', 'cron'), value: '61 * * * *', isWrong: true },
  });

  const to = { [control('input', 'to')]: 'ann' };
  const added = await browser.submit(addition, sent(html, { ...to, active: 'true' }));
  expect(added.headers.get('location')).toBe(`${list}/weekly`);
  expect(await api.processor.getScheduler('weekly')).toMatchObject({
    ...{ cron: '30 6 * * MON', timeZone: 'Europe/Zurich', jobName: 'mail', jitter: 300_000, active: true },
    input: { to: 'ann' },
  });
});

test('a schedule is changed by fields, and as JSON, and what a form cannot show is edited as JSON', async () => {
  await api.processor.addScheduler({
    id: 'tick',
    type: 'Delay',
    delay: '90s',
    jobName: 'echo',
    input: { n: 1 },
  });
  const path = `${list}/tick`;
  const html = await (await browser.get(path)).text();
  const [delay, title] = [control('schedule', 'delay'), control('schedule', 'title')];
  expect(controlsOf(html)).toContainEqual({ name: delay, value: '90 s', isWrong: false });
  const text = await (
    await browser.submit(path, { ...sent(html), [title]: 'New', change: '{"show":"json"}' })
  ).text();
  expect(JSON.parse(textIn(text)?.value ?? '')).toMatchObject({
    title: 'New',
    delay: 90_000,
    input: { n: 1 },
  });

  expect((await browser.submit(path, sent(html, { [title]: 'New' }))).status).toBe(303);
  expect(await api.processor.getScheduler('tick')).toMatchObject({
    title: 'New',
    delay: 90_000,
    input: { n: 1 },
  });
  // The first to save changed only the title.
  const merged = await browser.submit(path, sent(html, { [delay]: '2 h' }));
  expect(merged.status).toBe(409);
  const both = await merged.text();
  expect(textOf(both)).toContain('Their title was put into your text. Save again');
  expect((await browser.submit(path, sent(both))).status).toBe(303);
  expect(await api.processor.getScheduler('tick')).toMatchObject({ title: 'New', delay: 7_200_000 });

  const lists = { type: 'Cron', minute: [1], jobName: 'echo', input: {} } as const;
  await api.processor.addScheduler({ ...lists, id: 'lists' });
  expect(textIn(await (await browser.get(`${list}/lists`)).text())?.value).toContain('"minute"');
});

test('the list is searched and shows the next 24 hours, and a page the jobs of the past as dots', async () => {
  const job = { jobName: 'echo', input: {} };
  await api.processor.addScheduler({ ...job, id: 'nightly', type: 'Cron', cron: '30 2 * * *', active: true });
  await api.processor.addScheduler({ ...job, id: 'past', type: 'At', at: new Date(60_000), active: true });
  const [made] = await api.processor.scheduleDueItems();
  const show = async (path: string) => (await browser.get(path)).text();

  const all = await show(list);
  expect(textOf(all)).toContain('at 02:30: 30 2 * * * (UTC)');
  expect(all).toMatch(/<li class="busy" title="nightly"><span class="quiet">02<\/span> 1<\/li>/);
  expect([...all.matchAll(/<li[^>]*><span class="quiet">\d\d<\/span>/g)]).toHaveLength(24);
  expect(await show(`${list}?text=NIGHT`)).not.toContain(`${list}/past`);
  expect(textOf(await show(`${list}?text=nothing`))).toContain('No schedule matches.');
  expect(await show(`${list}/past`)).toContain(
    `<a class="status queued" href="/dashboard/jobs/${made}" title="1970-01-01 00:01 UTC: queued">`,
  );
});
