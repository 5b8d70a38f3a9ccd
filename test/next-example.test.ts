/** The route handler of the example for Next.js, run without Next.js. `npm run test:package` builds and starts the whole. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../src/index.js';
import { bundledProgram } from './bundled-program.js';
import { useDatabase } from './database.js';

const route = fileURLToPath(new URL('../examples/next/app/orders/route.ts', import.meta.url));
const index = fileURLToPath(new URL('../src/index.ts', import.meta.url));

const { uri, name, processor } = useDatabase();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(inject('programsFolder'), 'next-'));
  await build({
    entryPoints: [route],
    outfile: join(folder, 'route.js'),
    ...bundledProgram,
    alias: { 'remote-processor': index },
  });
});
afterAll(() => rm(folder, { recursive: true }));

/** Calls the handlers in a process of their own, and returns status and body of each answer. */
async function answers(calls: string): Promise<unknown> {
  const script = `
    import { GET, POST } from './route.js';
    const post = (body) => POST(new Request('http://shop.test/orders', { method: 'POST', body }));
    const get = (order) => GET(new Request('http://shop.test/orders?order=' + order));
    const told = [];
    for (const response of [${calls}]) told.push([(await response).status, await (await response).json()]);
    console.log(JSON.stringify(told));
    process.exit();`;
  const env = { MONGODB_URI: uri, MONGODB_DATABASE: name };
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
  return JSON.parse(stdout.split('\n').findLast((line) => line.startsWith('[[')) ?? '');
}

test('it adds a job once, and refuses what is wrong', async () => {
  const order = `'{ "order": "4711", "email": "ada@example.com" }'`;
  const another = `'{ "order": "4711", "email": "bob@example.com" }'`;

  expect(
    await answers(`await post(${order}), await post(${order}), await post(${another}), post('{'), get('1')`),
  ).toMatchObject([
    [202, { id: 'confirm-4711' }],
    [202, { id: 'confirm-4711' }],
    [409, { message: expect.any(String) }],
    [422, { issues: [{ path: '' }] }],
    [404, {}],
  ]);
  const worker = processor();
  await worker.addJobFactory(defineJob({ name: 'confirmOrder', input: z.unknown(), run: () => 'confirmed' }));
  await worker.drain();
  expect(await answers('get(4711)')).toEqual([[200, { status: 'completed', confirmation: 'confirmed' }]]);
});
