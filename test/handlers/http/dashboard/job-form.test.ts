import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { controlsOf, textOf } from './page-reader.js';

const api = useApi();
const form = '/dashboard/job-factories/invoice';

const invoice = defineJob({
  name: 'invoice',
  input: z.strictObject({
    customer: z.string().min(2).describe('Such as C-1.'),
    amount: z.number().min(0),
    copies: z.int().min(1).max(5).optional(),
    currency: z.enum(['EUR', 'CHF']),
    urgent: z.boolean(),
    remind: z.boolean().optional(),
    address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
    lines: z.array(z.object({ text: z.string(), price: z.number() })).optional(),
    tags: z.array(z.string()).optional(),
    extra: z.record(z.string(), z.unknown()).optional(),
    terms: z.int().default(30).describe('In days.'),
    copy: z.boolean().default(true),
    notes: z.array(z.string()).default([]),
  }),
  run: async () => null,
});

let browser: Browser;
beforeEach(async () => {
  await api.processor.addJobFactory(invoice);
  browser = await signedIn(api, 'write');
});

/** The name of the control of a field. */
const of = (...path: string[]) => JSON.stringify(['input', ...path]);
const option = (name: string) => JSON.stringify(['options', name]);
const length = (...path: string[]) => `length of ${of(...path)}`;
const change = (value: object) => JSON.stringify(value);

const least = { [of('customer')]: 'C-1', [of('amount')]: '9.5', [of('currency')]: '1' };

test('a form asks for each field of the input, and says which may be left out', async () => {
  const page = await (await browser.get(form)).text();

  const controls = controlsOf(page);
  for (const path of [
    ['customer'],
    ['amount'],
    ['copies'],
    ['currency'],
    ['urgent'],
    ['address', 'city'],
    ['extra'],
  ])
    expect(controls.map(({ name }) => name)).toContain(of(...path));
  expect(textOf(page)).toMatch(/customer Such as C-1\. amount currency EUR CHF|copies \(optional\)/);
  expect(page).toContain('placeholder="1 to 5"');
  expect(textOf(page)).toMatch(
    /terms \(optional\) In days\. Default: 30 copy \(optional\) yes no Default: yes/,
  );
  expect(page.match(/Default: /g)).toHaveLength(2);
});

test('what is filled in is the input of the job; what is left empty is left out', async () => {
  const answer = await browser.submit(form, {
    ...least,
    [of('urgent')]: 'true',
    [of('remind')]: 'false',
    [of('address', 'city')]: 'Zürich\r\n',
    [length('lines')]: '2',
    [of('lines', '0', 'text')]: 'Consulting',
    [of('lines', '0', 'price')]: '-1e2',
    [of('lines', '1', 'text')]: '',
    [`empty ${of('lines', '1', 'text')}`]: 'yes',
    [of('lines', '1', 'price')]: '0',
    [length('tags')]: '0',
    [of('extra')]: '{"a":{"$b":[null,true,"<script>"]}}',
  });

  expect(answer.status).toBe(303);
  const [job] = await api.processor.getJobs();
  expect(answer.headers.get('location')).toBe(`/dashboard/jobs/${job?.id}`);
  expect(job?.input).toEqual({
    customer: 'C-1',
    amount: 9.5,
    currency: 'CHF',
    urgent: true,
    remind: false,
    address: { city: 'Zürich\n' },
    lines: [
      { text: 'Consulting', price: -100 },
      { text: '', price: 0 },
    ],
    extra: { a: { $b: [null, true, '<script>'] } },
  });
  expect(api.kicks).toBe(1);
});

test.each(['nobody', of('nobody'), of('address', 'nobody'), of('lines', '7', 'text'), option('session')])(
  'a field that the form does not have is refused, and nothing is stored: %s',
  async (name) => {
    const answer = await browser.submit(form, { ...least, [name]: 'x' });

    expect(answer.status).toBe(422);
    expect(textOf(await answer.text())).toContain(`Unknown field: ${name}`);
    expect(await api.storedJobs()).toBe(0);
  },
);

test('a job that can run at once kicks the worker, one that is delayed does not', async () => {
  await browser.submit(form, { ...least, [option('delay')]: '1h' });
  expect(api.kicks).toBe(0);

  await browser.submit(form, least);

  expect(api.kicks).toBe(1);
});

test('options are those of addJob, and what is wrong with them is told there', async () => {
  const options = { [option('queue')]: 'mail', [option('priority')]: '7', [option('delay')]: '5m' };
  await browser.submit(form, { ...least, ...options, [option('maxRetries')]: '2' });
  expect((await api.processor.getJobs())[0]).toMatchObject({ queue: 'mail', priority: 7, maxRetries: 2 });

  const wrong = { [option('priority')]: 'high', [option('delay')]: 'soon' };
  const answer = await browser.submit(form, { ...least, ...wrong });

  expect(answer.status).toBe(422);
  const controls = controlsOf(await answer.text());
  expect(controls).toContainEqual({ name: option('priority'), value: 'high', isWrong: true });
  expect(controls).toContainEqual({ name: option('delay'), value: 'soon', isWrong: true });
  expect(await api.storedJobs()).toBe(1);
});

test('what is wrong is told at its field, what was typed stays, and nothing is stored', async () => {
  const answer = await browser.submit(form, {
    [of('customer')]: 'C',
    [of('amount')]: 'much"><script>alert(1)</script>',
    [of('copies')]: '12345678901234567890',
    [length('lines')]: '1',
    [of('lines', '0', 'price')]: '',
    [of('extra')]: '{"a": 1e999}',
  });

  expect(answer.status).toBe(422);
  let page = await answer.text();
  // JSON comes first: what it would say is not known before it is some.
  expect(controlsOf(page)).toContainEqual({ name: of('extra'), value: '{"a": 1e999}', isWrong: true });
  expect(textOf(page)).toContain("the number at 'a' is too large");

  const again = Object.fromEntries(controlsOf(page).map(({ name, value }) => [name, value]));
  page = await (await browser.submit(form, { ...again, [of('extra')]: '' })).text();

  const controls = controlsOf(page);
  expect(controls).toContainEqual({ name: of('customer'), value: 'C', isWrong: true });
  expect(controls).toContainEqual({
    name: of('amount'),
    value: 'much"><script>alert(1)</script>',
    isWrong: true,
  });
  expect(controls).toContainEqual({ name: of('copies'), value: '12345678901234567890', isWrong: true });
  expect(controls).toContainEqual({ name: of('lines', '0', 'price'), value: '', isWrong: true });
  expect(page).not.toContain('<script>alert');
  expect(await api.storedJobs()).toBe(0);
});

test('a text that is left blank is missing; an empty text is a choice of its own', async () => {
  const address = { [of('address', 'zip')]: '8000' };
  const answer = await browser.submit(form, { ...least, ...address, [of('address', 'city')]: '' });
  expect(answer.status).toBe(422);
  expect(controlsOf(await answer.text())).toContainEqual({
    name: of('address', 'city'),
    value: '',
    isWrong: true,
  });
  expect(await api.storedJobs()).toBe(0);

  await browser.submit(form, { ...least, ...address, [`empty ${of('address', 'city')}`]: 'yes' });
  expect((await api.processor.getJobs())[0]?.input).toMatchObject({ address: { city: '', zip: '8000' } });
  expect(await (await browser.get(form)).text()).not.toContain(
    `empty ${of('customer')}`.replaceAll('"', '&quot;'),
  );
});

test('lists grow and shrink by a button, and keep what is filled in', async () => {
  let page = await (
    await browser.submit(form, {
      ...least,
      [length('tags')]: '0',
      change: change({ add: ['input', 'tags'] }),
    })
  ).text();
  expect(controlsOf(page)).toContainEqual({ name: length('tags'), value: '1', isWrong: false });
  expect(controlsOf(page)).toContainEqual({ name: of('customer'), value: 'C-1', isWrong: false });

  page = await (
    await browser.submit(form, {
      [length('tags')]: '3',
      [of('tags', '0')]: 'a',
      [of('tags', '1')]: 'b',
      [of('tags', '2')]: 'c',
      change: change({ remove: ['input', 'tags', '1'] }),
    })
  ).text();

  expect(controlsOf(page)).toContainEqual({ name: of('tags', '1'), value: 'c', isWrong: false });
  expect(controlsOf(page)).toContainEqual({ name: length('tags'), value: '2', isWrong: false });
  expect(await api.storedJobs()).toBe(0);
});

test('the input can be edited as JSON instead, and back', async () => {
  let page = await (await browser.submit(form, { ...least, change: change({ show: 'json' }) })).text();
  const [json] = controlsOf(page).filter(({ name }) => name === of());
  expect(JSON.parse(json?.value ?? '')).toMatchObject({ customer: 'C-1', amount: 9.5, currency: 'CHF' });

  const wrong = await browser.submit(form, {
    as: 'json',
    [of()]: '{"customer":"C-1","lines":[{"price":"x"}]}',
  });
  expect(wrong.status).toBe(422);
  expect(textOf(await wrong.text())).toContain('lines.0.price:');

  const input = { customer: 'C-9', amount: 1, currency: 'EUR', urgent: false };
  page = await (
    await browser.submit(form, {
      as: 'json',
      [of()]: JSON.stringify(input),
      change: change({ show: 'fields' }),
    })
  ).text();
  expect(controlsOf(page)).toContainEqual({ name: of('customer'), value: 'C-9', isWrong: false });

  await browser.submit(form, { as: 'json', [of()]: JSON.stringify(input) });
  expect((await api.processor.getJobs())[0]?.input).toEqual(input);
});

test.each([
  ['not JSON', '{', 'JSON'],
  ['a key that MongoDB would not give back', '{"__proto__":{"x":1}}', '__proto__'],
  ['another such key', '{"$ref":"a","$id":1}', '$ref'],
])('%s is refused', async (_, text, expected) => {
  const answer = await browser.submit('/dashboard/job-factories/anything', { as: 'json', [of()]: text });

  expect(answer.status).toBe(422);
  expect(textOf(await answer.text())).toContain(expected);
  expect(await api.storedJobs()).toBe(0);
});

test.each(['', '{', '[]', '{"remove":[]}', change({ add: Array.from({ length: 51 }, () => 'a') })])(
  'a change that no button of the form asks for is refused: %s',
  async (asked) => {
    const answer = await browser.submit(form, { ...least, change: asked });

    expect(answer.status).toBe(422);
    expect(textOf(await answer.text())).toContain('Expected a change of the form');
    expect(await api.storedJobs()).toBe(0);
  },
);

test('a job can be run again with its input changed: the form begins with what it had', async () => {
  const input = { customer: 'C-5', amount: 2, currency: 'EUR' as const, urgent: true, tags: ['x"y', '<b>'] };
  const id = await api.processor.addJob(invoice, input, { priority: 4 });

  const controls = controlsOf(await (await browser.get(`${form}?from=${id}`)).text());

  expect(controls).toContainEqual({ name: of('customer'), value: 'C-5', isWrong: false });
  expect(controls).toContainEqual({ name: of('tags', '1'), value: '<b>', isWrong: false });
  expect(controls).toContainEqual({ name: option('priority'), value: '4', isWrong: false });
});

test('an input that the fields would not give back as it is, is edited as JSON', async () => {
  const kind = defineJob({
    name: 'loose',
    input: z.looseObject({ name: z.string() }),
    run: async () => null,
  });
  await api.processor.addJobFactory(kind);
  const input = { name: 'two\nlines', more: 1 };
  const id = await api.processor.addJob(kind, input);

  const page = await (await browser.get(`/dashboard/job-factories/loose?from=${id}`)).text();

  const [json] = controlsOf(page).filter(({ name }) => name === of());
  expect(JSON.parse(json?.value ?? '')).toEqual(input);
});

test('a reader sees the form, and adds nothing', async () => {
  const reader = await signedIn(api, 'read');

  expect(await (await reader.get(form)).text()).toMatch(/<button type="submit" class="primary" disabled/);
  expect((await reader.submit(form, least)).status).toBe(403);
  expect(await api.storedJobs()).toBe(0);
});

test('the kinds of jobs are listed; without any, it is said how to define one', async () => {
  expect(textOf(await (await browser.get('/dashboard/job-factories')).text())).toContain('invoice');
  await api.database.db.collection(collectionNames.jobFactories).deleteMany({});

  expect(textOf(await (await browser.get('/dashboard/job-factories')).text())).toContain('defineJob');
  expect((await browser.get('/dashboard/job-factories/nothing')).status).toBe(422);
});

test('a unique key that is taken keeps the waiting job, or replaces it, and the page says which', async () => {
  const unique = (name: string) => JSON.stringify(['options', 'unique', name]);
  const add = async (amount: string, options: object) => {
    const given = {
      ...least,
      [of('urgent')]: 'true',
      [of('amount')]: amount,
      [unique('key')]: 'k',
      ...options,
    };
    const answer = await browser.submit(form, given);
    return textOf(await (await browser.get(answer.headers.get('location') ?? '')).text());
  };
  expect(await add('1', {})).toContain('Added.');
  expect(await add('2', {})).toContain('Not added: this job has the unique key, and another input.');
  expect(await add('3', { [unique('mode')]: '1' })).toContain('It got the new input and options.');
  expect(await api.processor.getJobs()).toMatchObject([{ input: { amount: 3 }, uniqueKey: 'k' }]);
});
