import type { Document } from 'mongodb';
import { expect, test } from 'vitest';
import { fill } from '../../../bench/backlogs.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';

const api = useApi({}, { monitorCommands: true });

/** Jobs in as many queues. The benchmark measures no more: what a page costs does not depend on it. */
const COUNT = 3_000;

const envelope = ['$db', 'lsid', 'txnNumber', '$clusterTime', 'writeConcern', '$readPreference', 'maxTimeMS'];

interface Cost {
  commands: number;
  /** Documents that lists and verdicts read. */
  documents: number;
  /** Keys that counts read. MongoDB reads no documents for them. */
  counted: number;
}

/** What a page costs. */
async function costOf(browser: Browser, path: string): Promise<Cost> {
  const { database } = api;
  const sent = await database.commandsDuring(async () => {
    expect((await browser.get(path)).status).toBe(200);
  });
  const commands = sent.filter(({ databaseName }) => databaseName === database.name);
  const cost = { commands: commands.length, documents: 0, counted: 0 };
  for (const { commandName, command } of commands) {
    if (!['find', 'aggregate'].includes(commandName)) continue;
    const search = Object.fromEntries(Object.entries(command).filter(([name]) => !envelope.includes(name)));
    const explained = await database.db.command({ explain: search, verbosity: 'executionStats' });
    const isCount = JSON.stringify(search.pipeline ?? []).includes('"n":{"$sum":1}');
    for (const { totalDocsExamined, totalKeysExamined } of statisticsIn(explained)) {
      if (isCount) cost.counted += totalKeysExamined;
      else cost.documents += totalDocsExamined;
    }
  }
  return cost;
}

/** What each part of an explained command examined. An aggregation has it within its first stage. */
function statisticsIn(value: unknown): Document[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('totalDocsExamined' in value) return [value];
  return Object.values(value).flatMap(statisticsIn);
}

/** Makes the next page read everything anew. */
async function forget(browser: Browser): Promise<void> {
  await browser.submit('/dashboard/queues', { queue: 'none', action: 'resume' });
}

test('with thousands of jobs in as many queues, the overview and the queues cost little more than the list of jobs', async () => {
  const backlog = {
    name: '',
    change: (n: number, now: Date) => ({ queue: `queue ${n}`, runAt: now, queued: now }),
  };
  await fill(api.database.db, backlog, COUNT);
  const browser = await signedIn(api, 'admin');
  await browser.get('/dashboard/schedulers'); // The first request looks whether the collections are ours.
  await forget(browser);
  const jobsAtFirst = await costOf(browser, '/dashboard/jobs');
  const jobs = await costOf(browser, '/dashboard/jobs');
  await forget(browser);
  const overviewAtFirst = await costOf(browser, '/');
  const overview = await costOf(browser, '/');
  const queues = await costOf(browser, '/dashboard/queues');

  expect(jobs).toEqual({ commands: 2, documents: expect.any(Number), counted: 0 });
  // Some jobs more than queues fit on the page: nobody knows before how many jobs a queue has.
  expect(queues.documents).toBeLessThanOrEqual(6 * jobs.documents);
  expect(overview).toEqual({ commands: 2 * jobs.commands, documents: 0, counted: 0 });
  // The verdict, which every page shows, is remembered for 10 s. So are the counts and the workers.
  expect(jobsAtFirst).toEqual({ ...jobs, commands: jobs.commands + 11 });
  expect(overviewAtFirst).toEqual({ commands: 24, documents: 0, counted: expect.any(Number) });
  expect(overviewAtFirst.counted).toBeLessThanOrEqual(7 * 1_001);
  expect(overviewAtFirst.commands).toBeLessThanOrEqual(2 * jobsAtFirst.commands);
});
