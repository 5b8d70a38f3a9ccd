import { expect, test } from 'vitest';
import { z } from 'zod';
import { expectProblem, useApi } from './api.js';

const api = useApi({}, { monitorCommands: true });
const pageSchema = z.strictObject({
  jobs: z.array(z.looseObject({ id: z.string() })),
  cursor: z.string().nullable(),
});

async function list(query = '') {
  const page = pageSchema.parse(await (await api.call(`/v1/jobs${query}`, { key: 'key-of-read' })).json());
  return { ids: page.jobs.map(({ id }) => id), cursor: page.cursor };
}

async function addSome(): Promise<void> {
  await api.processor.addJob('echo', {}, { id: 'done' });
  await api.processor.addJob('failing', undefined, { id: 'failed' });
  await api.processor.processJobs();
  await api.processor.addJob('echo', {}, { id: 'waiting', queue: 'mail' });
}

test('jobs are listed, each as it is shown alone', async () => {
  await addSome();

  const page = pageSchema.parse(await (await api.call('/v1/jobs?status=error')).json());

  expect(page).toEqual({ jobs: [await (await api.call('/v1/jobs/failed')).json()], cursor: null });
});

test.each([
  ['', ['waiting', 'failed', 'done']],
  ['?order=oldest', ['done', 'failed', 'waiting']],
  ['?status=queued', ['waiting']],
  ['?name=echo', ['waiting', 'done']],
  ['?queue=mail', ['waiting']],
  ['?error=HOPELESS', ['failed']],
  ['?status=completed&name=echo&queue=default', ['done']],
  ['?status=completed&name=failing', []],
  ['?name=%24where', []],
  ['?queue=__proto__', []],
])('%s lists %j', async (query, ids) => {
  await addSome();

  expect((await list(query)).ids).toEqual(ids);
});

test('pages follow each other by their cursors', async () => {
  await addSome();

  const first = await list('?limit=2');
  const second = await list(`?limit=2&cursor=${encodeURIComponent(first.cursor ?? '')}`);

  expect(first.ids).toEqual(['waiting', 'failed']);
  expect(second).toEqual({ ids: ['done'], cursor: null });
});

test('a page that would be too large to be sent has fewer jobs, and none is lost', async () => {
  const large = { text: 'x'.repeat(1_500_000) };
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await api.processor.addJob('echo', large, { id });

  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await list(`?order=oldest${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    expect(page.ids.length).toBeLessThanOrEqual(3);
    seen.push(...page.ids);
    cursor = page.cursor;
  } while (cursor !== null);

  expect(seen).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('neither tokens nor workers are listed', async () => {
  await api.processor.addJob('echo', {});
  const lease = await api.processor.pullNextJob();

  const text = await (await api.call('/v1/jobs')).text();

  expect(lease?.token).toBeTypeOf('string');
  expect(text).not.toContain(lease?.token);
  expect(text).not.toContain('lease');
});

test.each([
  ['status[$ne]=x', ['status[$ne]']],
  ['status=%7B%22%24ne%22%3A1%7D', ['status']],
  ['status=nope', ['status']],
  ['status=queued&status=error', ['status']],
  ['status[]=queued', ['status[]']],
  ['status[a][b][c]=x', ['status[a][b][c]']],
  ['$where=sleep(1000)', ['$where']],
  ['name.$gt=', ['name.$gt']],
  ['name=a%00b', ['name']],
  ['error=', ['error']],
  ['__proto__[status]=queued', ['__proto__[status]']],
  ['__proto__=queued', ['__proto__']],
  ['limit=0', ['limit']],
  ['limit=1001', ['limit']],
  ['limit=1e2', ['limit']],
  ['limit=ten', ['limit']],
  ['order=random', ['order']],
  ['cursor=nope', ['cursor']],
  ['jobName=echo', ['jobName']],
  ['a=1&b=2', ['a', 'b']],
])('to list by %s is refused with its path', async (query, paths) => {
  await addSome();

  const problem = await expectProblem(await api.call(`/v1/jobs?${query}`), 422, 'validation_failed');

  expect(problem.issues.map(({ path }) => path)).toEqual(paths);
  for (const { message } of problem.issues) expect(message).not.toBe('Invalid input');
});

test('lists that are asked for at once are read in turn, two at a time, and all are answered', async () => {
  await addSome();
  const { client } = api.database.db;
  const underWay = new Set<number>();
  let most = 0;
  const begin = ({ requestId, commandName }: { requestId: number; commandName: string }) => {
    if (commandName === 'find') underWay.add(requestId);
    most = Math.max(most, underWay.size);
  };
  const end = ({ requestId }: { requestId: number }) => underWay.delete(requestId);
  client.on('commandStarted', begin).on('commandSucceeded', end);

  const paths = ['/v1/jobs', '/v1/schedulers', '/v1/job-factories'].flatMap((path) => Array(10).fill(path));
  const answers = await Promise.all(paths.map((path) => api.call(path, { key: 'key-of-read' })));
  client.off('commandStarted', begin).off('commandSucceeded', end);

  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200));
  expect(most).toBeLessThanOrEqual(2);
});
