import type { CommandSucceededEvent } from 'mongodb';
import { beforeEach, expect, test } from 'vitest';
import { defineJob } from '../../../../src/index.js';
import { rollUpHours } from '../../../../src/statistics/roll-up-hours.js';
import { failing } from '../../../jobs.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi({}, { monitorCommands: true });

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'read');
});

const show = async (path: string) => textOf(await (await browser.get(path)).text());
const MINUTE_MS = 60_000;

/** A minute in which many kinds ran, as a worker writes it. */
async function manyKinds(count: number) {
  const now = new Date();
  const names = Array.from({ length: count }, (_, n) => [
    `_kind-${n}`,
    { completed: 10, retried: n === 77 ? 3 : 0, run: { b10: 10 }, wait: { b4: 5, b20: 5 } },
  ]);
  await api.database.collections().statistics.insertOne({
    ...{ _id: new Date(now.getTime() - (now.getTime() % MINUTE_MS)), names: Object.fromEntries(names) },
    ...{
      total: { completed: count * 10, retried: 3 },
      written: now,
      expireAt: new Date(now.getTime() + 1e7),
    },
  });
}

test('kinds are listed with how they fared, the worst first, 50 at a time', async () => {
  expect(await show('/dashboard/kinds')).toContain('No job ended: last hour.');
  await manyKinds(120);

  const first = await show('/dashboard/kinds?range=24h');
  expect(first).toMatch(/Waited kind-77 10 3 \(23 %\) \d+ ms p95 \d+ ms p99 \d+ ms /);
  expect(first).toContain('More kinds');
  const html = await (await browser.get('/dashboard/kinds?range=24h&from=100')).text();
  expect(html.match(/<tr id="kind-/g)).toHaveLength(20);
  expect(await show('/dashboard/kinds?name=KIND-11')).toMatch(/Waited kind-11 10 .*kind-119 /);
  expect(await show('/dashboard/kinds?name=nobody')).toContain('No job of such a name ended: last hour.');
  expect(textOf(html)).toContain('Back to the first');
  expect(textOf(html)).not.toContain('More kinds');
});

test('what fails now stands beside its kind, and the page of a kind tells when, how long and what', async () => {
  const quick = defineJob({ name: 'quick', run: () => {} });
  await api.processor.addJobFactories([quick, failing]);
  await api.processor.addJobs([{ name: 'quick' }, { name: 'failing' }]);
  await api.processor.drain();
  await api.processor.marks.add({ text: 'v42 <b>', by: 'ann' });

  expect(await show('/dashboard/kinds')).toMatch(/failing It is hopeless\. 0 1 \(100 %\) .* quick 1 – /);
  const page = await show('/dashboard/kinds/failing?range=24h');
  expect(page).toMatch(/Last 24 hours 0 completed, 1 ended in error \(100 %\), \d+ m?s each/);
  expect(page).toMatch(/Failed attempts 1 \(100 %\) Ran half within \d+ m?s, 95 % within/);
  expect(page).toMatch(/Failed in the last day It is hopeless\. /);
  expect(page).toMatch(/v42 <b> [^<]*, by ann/);
  const html = await (await browser.get('/dashboard/kinds/failing')).text();
  expect(html).not.toContain('v42 <b>');
  const [bar] = /<a href="[^"]*status=error[^"]*"/.exec(html) ?? [];
  const href = bar?.replaceAll('&amp;', '&').slice('<a href="'.length, -1) ?? '';
  expect(href).toMatch(/failed=\d{4}-/);
  expect(await show(href)).toContain('It is hopeless.');
  const later = href.replaceAll(/\d{4}-(?=\d\d-)/g, '2100-');
  expect(await show(later)).not.toContain('It is hopeless.');
});

test('an impossible name is not found, and a kind that never ran has a page', async () => {
  expect((await browser.get('/dashboard/kinds/a%20b')).status).toBe(404);
  expect(await show('/dashboard/kinds/never')).toMatch(/Last hour no job ended .* Ran not measured/);
});

test('the pages cost at most twice the commands of the page of jobs, whatever ran, and read few documents', async () => {
  await api.processor.addJobs(Array.from({ length: 60 }, () => ({ name: 'failing' })));
  await api.processor.drain();
  for (let n = 0; n < 5; n += 1) await api.processor.marks.add({ text: `v${n}` });
  await manyMinutes(2 * 1440);
  await api.processor.scheduleDueItems();
  while (!(await rollUpHours(api.database.collections(), Date.now())));
  const costs = async (path: string) => {
    await browser.get(path); // Reads also what is remembered for some seconds.
    return costOf(() => browser.get(path));
  };
  const jobs = await costs('/dashboard/jobs');

  for (const range of ['1h', '6h', '24h', '7d']) {
    for (const path of ['/dashboard/kinds', '/dashboard/kinds/failing']) {
      const cost = await costs(`${path}?range=${range}`);
      expect(cost.commands, `${path} ${range}`).toBeLessThanOrEqual(2 * jobs.commands);
      expect(cost.documents, `${path} ${range}`).toBeLessThanOrEqual(400);
    }
  }
});

/** Minutes up to now, as workers write them. */
async function manyMinutes(count: number) {
  const now = new Date();
  const minute = now.getTime() - (now.getTime() % MINUTE_MS);
  const kinds = { names: { _failing: { retried: 1, run: { b10: 1 } } }, total: { retried: 1 } };
  await api.database.collections().statistics.insertMany(
    Array.from({ length: count }, (_, ago) => ({
      ...{ _id: new Date(minute - (ago + 1) * MINUTE_MS), ...kinds },
      ...{ written: now, expireAt: new Date(now.getTime() + 1e7) },
    })),
  );
}

async function costOf(work: () => Promise<unknown>) {
  let [commands, documents] = [0, 0];
  const note = ({ reply }: CommandSucceededEvent) => {
    commands += 1;
    const { firstBatch = [], nextBatch = [] } = JSON.parse(JSON.stringify(reply)).cursor ?? {};
    documents += firstBatch.length + nextBatch.length;
  };
  api.database.client.on('commandSucceeded', note);
  try {
    await work();
  } finally {
    api.database.client.off('commandSucceeded', note);
  }
  return { commands, documents };
}
