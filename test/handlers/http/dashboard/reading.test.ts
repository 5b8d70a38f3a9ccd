/** How pages show what is hard to read: marks that turn text around, old moments, long lists, long logs. */
import { beforeEach, expect, test } from 'vitest';
import { defineJob } from '../../../../src/index.js';
import { collectionNames } from '../../../collection-names.js';
import { useApi } from '../api.js';
import { type Browser, signedIn } from '../browser.js';
import { textOf } from './page-reader.js';

const api = useApi();

let browser: Browser;
beforeEach(async () => {
  browser = await signedIn(api, 'write');
});

const show = async (path: string) => (await browser.get(path)).text();

test('marks that turn the direction of text are shown escaped, and sent back as they are', async () => {
  const queue = 'mail\u202etxt\u001b.exe';
  await api.processor.addJob('echo', { note: '\u2066hidden' }, { queue, id: 'one', delay: '1h' });

  const list = await show(`/dashboard/jobs?queue=${encodeURIComponent(queue)}`);
  expect(textOf(list)).toContain('mail\\u202etxt\\u001b.exe');
  expect(list).toContain(`name="queue" value="${queue}"`);
  expect(textOf(await show('/dashboard/jobs/one'))).toContain('\\u2066hidden');
});

test('a moment of long ago is a date', async () => {
  const created = new Date('2019-12-31T12:00:00Z');
  await api.processor.addJob('echo', {}, { id: 'one' });
  await api.database.db.collection(collectionNames.jobs).updateMany({}, { $set: { created } });

  expect(textOf(await show('/dashboard/jobs'))).toContain('2019-12-31');
});

test('a list is folded by its own size, and little unfolds at first', async () => {
  const input = { long: Array.from({ length: 200 }, (_, index) => index), short: [1, 2] };
  await api.processor.addJob('echo', input, { id: 'one', delay: '1h' });
  await api.processor.addJob('anything', input.long, { id: 'two', delay: '1h' });

  const page = await show('/dashboard/jobs/one');
  expect(page).toMatch(/<details><summary><span class="name">long<\/span>/);
  expect(page).toMatch(/<details open=""><summary><span class="name">short<\/span>/);
  expect(await show('/dashboard/jobs/two')).toMatch(/<details><summary> ?\[<span class="quiet"> 200/);
});

test('the lines of a log stand in a part that is scrolled to its end, and reached by keyboard', async () => {
  const chatty = defineJob({
    name: 'chatty',
    run: async ({ log }) => {
      log('first');
      log('last');
    },
  });
  await api.processor.addJobFactory(chatty);
  const id = await api.processor.addJob(chatty);
  await api.processor.drain();

  expect(await show(`/dashboard/jobs/${id}`)).toMatch(/class="log" tabindex="0".*first.*last/s);
});
