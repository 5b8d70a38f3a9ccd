import { expect, test } from 'vitest';
import { useApi } from '../api.js';
import { signedIn } from '../browser.js';
import { operations } from '../openapi-document.js';
import { textOf } from './page-reader.js';

const api = useApi();
const idsIn = (html: string) =>
  [...html.matchAll(/<details class="operation" id="([^"]*)"/g)].map(([, id]) => id);

test('each operation of the document is shown, with its parameters, its answer and a command', async () => {
  const browser = await signedIn(api, 'read');

  const html = await (await browser.get('/dashboard/api')).text();

  expect(idsIn(html).sort()).toEqual(operations.map(({ operationId }) => operationId).sort());
  expect(textOf(html)).toContain(
    `curl -X POST "$URL/v1/jobs" \\ -H "Authorization: Bearer $API_KEY" \\ -H 'Content-Type: application/json' \\ -d '{"name":"echo","input":{"hello":"me"},"options":{"priority":5,"delay":"10s"}}'`,
  );
  expect(textOf(html)).toMatch(/GET \/v1\/jobs\/\{id\} Show a job .* wait query, integer 0 to 25, optional/);
  expect(textOf(html)).toContain('202 The job is stored, and will run.');
  expect(textOf(html)).toContain('curl "$URL/health" 200 Yes.');
});

test('operations are searched by every word', async () => {
  const browser = await signedIn(api, 'read');
  const show = async (text: string) => (await browser.get(`/dashboard/api?text=${text}`)).text();
  expect(idsIn(await show('POST+PAUSE+limits'))).toEqual(['pauseLimit']);
  expect(textOf(await show('zzz'))).toContain('No operation matches.');
});
