import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../../../src/index.js';
import { eventually } from '../../../eventually.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();
const list = '/dashboard/failures';

const charge = defineJob({
  name: 'charge',
  input: z.string(),
  run: ({ input }) => {
    throw new RemoteException(input);
  },
});

let browser: Browser;
beforeEach(async () => {
  for (const processor of [api.processor, api.served]) await processor.addJobFactory(charge);
  browser = await signedIn(api, 'write');
});

const show = async (path: string) => (await browser.get(path)).text();

async function failWith(...messages: string[]): Promise<string[]> {
  const ids = await api.processor.addJobs(messages.map((input) => ({ job: charge, input })));
  await api.processor.drain();
  return ids;
}

test('what failed alike is one row, with how many still fail and when', async () => {
  expect(textOf(await show(list))).toContain('Nothing failed');
  await failWith('<b>order 1', '<b>order 2', '<b>order 3', 'refused');
  const html = await show(list);

  expect(html).not.toMatch(/<b>| style=/);
  expect(textOf(html)).toMatch(/charge <b>order <number> The last one: <b>order \d 3 3 /);
  expect(html).toContain('aria-label="3 in the last 24 hours, at most 3 in an hour"');
  expect(html.match(/<rect /g)).toHaveLength(2);
  expect(textOf(await show('/'))).toContain('See all failures');
});

test('a job says how many fail alike, and leads to them; the filter can be removed', async () => {
  const [first = ''] = await failWith('order 1', 'order 2', 'refused');
  const page = await show(`/dashboard/jobs/${first}`);
  expect(textOf(page)).toContain('Same failure 1 other');
  const [, path = ''] = /href="(\/dashboard\/jobs\?failureKey=[^"]+)"/.exec(page) ?? [];

  const jobs = await show(path);

  expect(jobs.match(/<tr id="job-/g)).toHaveLength(2);
  expect(textOf(jobs)).toContain('Show also others than: order <number> ✕');
  expect(jobs).toContain('<a class="button chip" href="/dashboard/jobs">');
  expect(textOf(await show('/dashboard/jobs?failureKey=charge:0'))).toContain('charge:0 ✕ ');
});

test('all jobs of a kind are retried at once, whatever they failed with', async () => {
  await failWith('order 1', 'refused');
  const name = 'Retry all jobs of charge in error';
  const reader = await signedIn(api, 'read');
  expect(await (await reader.get(`${list}?name=charge`)).text()).not.toContain(name);
  expect(await show(list)).not.toContain(name);
  const [form = ''] =
    (await show(`${list}?name=charge`)).match(
      /<form method="post" action="\/dashboard\/operations".*?<\/form>/s,
    ) ?? [];
  expect(form).toContain(name);
  const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, field = '', value = '']) => [
    field,
    value,
  ]);

  await browser.submit('/dashboard/operations', Object.fromEntries(fields));

  await eventually(async () => {
    await api.processor.scheduleDueItems();
    expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(2);
  });
  expect(await show(`${list}?name=charge`)).not.toContain(name);
});

test('all jobs of a group are retried by those who may, and only these', async () => {
  await failWith('order 1', 'order 2', 'refused');
  const { failures } = await api.processor.failures.list();
  const key = failures.find(({ message }) => message === 'order <number>')?.key ?? '';
  const reader = await signedIn(api, 'read');
  const form = { action: 'retry', status: 'error', failureKey: key };
  expect(await (await reader.get(list)).text()).not.toContain('Retry all');
  expect((await reader.submit('/dashboard/operations', form)).status).toBe(403);
  expect(await show(list)).toContain(`<input type="hidden" name="failureKey" value="${key}"/>`);

  const begun = await browser.submit('/dashboard/operations', form);

  await eventually(async () => {
    await api.processor.scheduleDueItems();
    expect(await api.processor.getJobs({ status: 'queued' })).toHaveLength(2);
  });
  expect(textOf(await show(begun.headers.get('location') ?? ''))).toMatch(/2 of 2: 2 queued again/);
  expect(await show(list)).not.toContain(`value="${key}"`);
});

test('failures are paged, and filtered by kind', async () => {
  const { failures } = api.database.collections();
  const at = (minute: number) => new Date(Date.now() - minute * 60_000);
  await failures.insertMany(
    Array.from({ length: 25 }, (_, n) => ({
      _id: `charge:${n}`,
      ...{ jobName: 'charge', message: `m-${n}-`, sample: '', count: 1, hours: [] },
      ...{ firstSeen: at(n), lastSeen: at(n), expireAt: new Date(Date.now() + 1e9) },
    })),
  );
  const first = await show(`${list}?name=charge`);
  const [, next = ''] = /class="button" href="([^"]*cursor=[^"]*)"/.exec(first) ?? [];
  const second = await show(next.replaceAll('&amp;', '&'));

  expect([first, second].map((html) => html.match(/<tr id="failure-/g)?.length)).toEqual([20, 5]);
  expect(second).toContain('m-24-');
  expect(second).toContain('<option value="charge" selected');
  expect(textOf(await show(`${list}?name=echo`))).toContain('Nothing failed');
  expect((await browser.get(`${list}?cursor=x`)).status).toBe(422);
});
