/** Lists of documents as large as they may be, in a process that has little memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { collectionNames } from '../../collection-names.js';
import { useDatabase } from '../../database.js';
import { program } from '../../programs.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const database = useDatabase();
const KEY = 'a-key-for-this-test-alone';
/** Less than all documents of one list take, as they are stored and as they are sent. */
const HEAP_MB = 64;
const COUNT = 10;
/** Lambda's own limit for an answer. */
const MAX_SENT_BYTES = 6 * 1024 * 1024;

let app: ChildProcess;
let url = '';

/** A megabyte each: quotes, letters of many bytes, control characters, many members, many levels. */
const values: readonly unknown[] = [
  '"'.repeat(1_000_000),
  '😀'.repeat(250_000),
  '\u0001'.repeat(1_000_000),
  Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`member ${n}`, n])),
  Array.from({ length: 1_000 }, () => Array.from({ length: 40 }).reduce<unknown>((inner) => [inner], 1)),
];

beforeAll(async () => {
  const script = await program('test/handlers/http/app-process.ts');
  const args = [`--max-old-space-size=${HEAP_MB}`, script, database.uri, database.name, KEY];
  app = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  if (!app.stdout) throw new Error('The app has no output.');
  for await (const line of createInterface(app.stdout)) {
    url = line;
    break;
  }
  expect(url).toMatch(/^http/);
});

afterAll(async () => {
  if (app.exitCode === null && app.signalCode === null) {
    app.kill('SIGKILL');
    await once(app, 'exit');
  }
});

const pageSchema = z.looseObject({ cursor: z.string().nullable() });
const idSchema = z.looseObject({ id: z.string().optional(), name: z.string().optional() });

/** The ids, or names, of all that a path lists; each page is small enough to be sent. */
async function listed(path: string, member: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({ limit: '1000', ...(cursor && { cursor }) });
    const response = await fetch(`${url}${path}?${query}`, { headers: { authorization: `Bearer ${KEY}` } });
    const body = await response.text();
    expect(response.status).toBe(200);
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(MAX_SENT_BYTES);
    const page = pageSchema.parse(JSON.parse(body));
    for (const each of z.array(idSchema).parse(page[member])) ids.push(each.id ?? each.name ?? '');
    cursor = page.cursor;
  }
  return ids;
}

/** Writes documents of these ids, some at a time: they are more than one message holds. */
async function insert(
  collection: string,
  toDocument: (id: string, value: unknown) => object,
): Promise<string[]> {
  const ids = Array.from({ length: COUNT }, (_, n) => `id ${String(n).padStart(4, '0')}`);
  for (const [n, id] of ids.entries())
    await database.db.collection(collection).insertOne(toDocument(id, values[n % values.length]));
  return ids;
}

const now = new Date();

function failedJob(_id: string, input: unknown) {
  return {
    ...{ _id, jobName: 'echo', queue: 'default', priority: 0, status: 'error', input },
    ...{ runAt: now, created: now, queued: now, errors: [] },
    ...{ retryCounter: 1, givenBackCounter: 0, maxRetries: 1, retryDelay: 0 },
  };
}

test('jobs', async () => {
  const ids = await insert(collectionNames.jobs, failedJob);

  expect((await listed('/v1/jobs', 'jobs')).sort()).toEqual(ids);
});

test('scheduler items', async () => {
  const ids = await insert(collectionNames.scheduler, (_id, input) => ({
    ...{ _id, type: 'Delay', delay: 60_000, title: '', description: '', jobName: 'echo', input },
    ...{ active: false, nextCallTime: null, lastCallTime: null, timeZone: 'UTC', version: 1 },
  }));

  expect(await listed('/v1/schedulers', 'schedulers')).toEqual(ids);
});

test('kinds of jobs', async () => {
  const defaults = { queue: 'default', priority: 0, maxRetries: 1, retryDelay: 0 };
  const ids = await insert(collectionNames.jobFactories, (_id, value) => ({
    ...{ _id, inputSchema: JSON.stringify({ description: JSON.stringify(value).slice(0, 1_000_000) }) },
    ...{ inputOptional: false, defaults, hash: '' },
  }));

  expect(await listed('/v1/job-factories', 'jobFactories')).toEqual(ids);
});

test('workers of many queues', async () => {
  const queues = Array.from({ length: 5_000 }, (_, n) => `${'"'.repeat(195)}${n}`);
  const expires = new Date('2999-01-01');
  await insert(collectionNames.workers, (_id) => ({
    _id,
    processor: _id,
    maxThreads: 1,
    queues,
    started: now,
    expires,
  }));

  expect(await listed('/v1/workers', 'workers')).toHaveLength(COUNT);
});

test('queues of long names', async () => {
  const ids = await insert(collectionNames.queues, (id) => ({ _id: `${id}${'"'.repeat(190)}`, paused: now }));

  expect(await listed('/v1/queues', 'queues')).toHaveLength(ids.length);
});

test('the pages of the dashboard', async () => {
  await insert(collectionNames.jobs, failedJob);
  await insert(collectionNames.scheduler, (_id, input) => ({
    ...{ _id, type: 'Delay', delay: 60_000, title: '', description: '', jobName: 'echo', input },
    ...{ active: true, nextCallTime: now, lastCallTime: null, timeZone: 'UTC', version: 1 },
  }));
  const origin = new URL(url).origin;
  const signedIn = await fetch(`${url}/sign-in`, {
    ...{ method: 'POST', redirect: 'manual', headers: { origin, 'sec-fetch-site': 'same-origin' } },
    body: new URLSearchParams({ key: KEY }),
  });
  const cookie = signedIn.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const jobPages = values.map((_, n) => `/dashboard/jobs/id%200${String(n).padStart(3, '0')}`);

  for (const path of ['/', '/dashboard/jobs', '/dashboard/schedulers', ...jobPages]) {
    const response = await fetch(`${url}${path}`, { headers: { cookie, 'accept-encoding': 'identity' } });
    const page = await response.text();
    expect(`${path} ${response.status}`).toBe(`${path} 200`);
    expect(page.length).toBeLessThan(3_000_000);
  }
});
