import { expect, test } from 'vitest';
import * as z from 'zod';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

const worker = defineJob({
  name: 'worker',
  input: z.object({ fails: z.number() }),
  retryDelay: 0,
  run: async ({ input: { fails }, attempt, log }) => {
    log(`line of ${attempt}`);
    if (attempt <= fails) throw new Error(`failure ${attempt}`);
    return { done: attempt };
  },
});

async function show(path: string, role: 'read' | 'write' = 'write'): Promise<string> {
  return (await (await signedIn(api, role)).get(path)).text();
}

test('attempts are shown newest first, as bars, each with its errors and its lines', async () => {
  await api.processor.addJobFactory(worker);
  const id = await api.processor.addJob(worker, { fails: 2 });
  await api.processor.processJobs();

  const page = await show(`/dashboard/jobs/${id}`);

  const [, attempts = ''] = /<h2 id="attempts-title">(.*?)<\/ol><\/section>/s.exec(page) ?? [];
  expect(page.match(/<svg class="attempt"/g)).toHaveLength(3);
  expect(textOf(page)).toMatch(
    /Attempt 3 completed .*waited .*, ran .* line of 3 .*Attempt 2 failed, tried again .*failure 2 .*line of 2 .*Attempt 1 failed, tried again .*failure 1 .*line of 1/,
  );
  expect(attempts).not.toBe('');
});

test('errors and lines of attempts that are not kept any more stand below the others', async () => {
  await api.processor.addJobFactory(worker);
  const id = await api.processor.addJob(worker, { fails: 1 });
  await api.processor.processJobs();
  await api.database.db
    .collection<{ _id: string }>(collectionNames.jobs)
    .updateOne({ _id: id }, { $unset: { attempts: '' } });

  expect(textOf(await show(`/dashboard/jobs/${id}`))).toMatch(
    /Attempt 2 completed .*line of 2 .*Earlier ones .*failure 1 .*line of 1/,
  );
});

test('input and output are shown as trees or as JSON, and are copied by buttons', async () => {
  const id = await api.processor.addJob('echo', { a: '</pre>' });
  await api.processor.processJobs();

  expect(await show(`/dashboard/jobs/${id}`)).toContain(`href="/dashboard/jobs/${id}?view=raw"`);
  const raw = await show(`/dashboard/jobs/${id}?view=raw`);
  expect(raw).toContain('<pre class="code">{\n  &quot;a&quot;: &quot;&lt;/pre&gt;&quot;\n}</pre>');
  expect(raw).toContain(`data-copy-from="/dashboard/jobs/${id}/input.json"`);
  expect(raw).toContain(`data-copy="${id}"`);
  expect(textOf(raw)).toContain(`"$REMOTE_PROCESSOR_URL/v1/jobs/${id}"`);
});

test('a delayed job runs now, and a queued one is changed; what is left as it is stays', async () => {
  const browser = await signedIn(api, 'write');
  const id = await api.processor.addJob('echo', {}, { delay: '1h', priority: 3 });
  const path = `/dashboard/jobs/${id}`;
  expect(await (await browser.get(path)).text()).toContain('Run now');

  await browser.submit(`${path}/changes`, { priority: '7', queue: 'default', maxRetries: '3', delay: '' });
  const changed = await api.processor.getJob(id);
  expect(changed).toMatchObject({ priority: 7, queue: 'default', maxRetries: 3 });
  expect(changed?.runAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);

  await browser.submit(`${path}/changes`, { delay: '0' });
  expect(await api.processor.processNextJob()).toBe(true);
});

test.each([
  [{ priority: '10' }, 'priority'],
  [{ priority: 'x' }, 'priority'],
  [{ delay: 'soon' }, 'delay'],
  [{}, 'Nothing was changed'],
])('the change %j is refused with a reason, and changes nothing', async (fields, reason) => {
  const browser = await signedIn(api, 'write');
  const id = await api.processor.addJob('echo', {}, { priority: 3 });

  const answer = await browser.submit(`/dashboard/jobs/${id}/changes`, fields);

  expect(answer.status).toBe(303);
  expect(textOf(await (await browser.get(`/dashboard/jobs/${id}`)).text())).toContain(reason);
  expect(await api.processor.getJob(id)).toMatchObject({ priority: 3, status: 'queued' });
});

test('a job that has ended cannot be changed, and a reader is offered nothing', async () => {
  const id = await api.processor.addJob('echo', {});
  expect(await show(`/dashboard/jobs/${id}`, 'read')).not.toContain('/changes');
  const reader = await signedIn(api, 'read');
  expect((await reader.submit(`/dashboard/jobs/${id}/changes`, { priority: '1' })).status).toBe(403);
  await api.processor.processJobs();
  const browser = await signedIn(api, 'write');
  await browser.submit(`/dashboard/jobs/${id}/changes`, { priority: '1' });
  expect(textOf(await (await browser.get(`/dashboard/jobs/${id}`)).text())).toContain('cannot be changed');
});

test('the keys by which a job is found lead to the others that have them', async () => {
  const kind = defineJob({
    name: 'order',
    input: z.object({ orderId: z.number() }),
    searchable: ['orderId'],
    run: async () => null,
  });
  await api.processor.addJobFactory(kind);
  const id = await api.processor.addJob(kind, { orderId: 42 });
  expect(await show(`/dashboard/jobs/${id}`)).toContain('href="/dashboard/jobs?key=orderId%3D42"');
});
