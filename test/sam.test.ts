/** The example for AWS SAM: built by esbuild as the template says, and run by Node. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../src/index.js';
import { useDatabase } from './database.js';
import { httpEvent } from './handlers/events.js';
import { invoke } from './package-functions.js';
import { samBuilds } from './sam-template.js';

const example = fileURLToPath(new URL('../examples/sam', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
const esbuild = join(root, 'node_modules/esbuild/bin/esbuild');

const { uri, name: database, processor } = useDatabase();
const settings = { MONGODB_URI: uri, MONGODB_DATABASE: database, LOG_LEVEL: 'warn' };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-processor-sam-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('its functions are built alike, and work', async () => {
  const builds = await samBuilds();
  const options = builds[0]?.options ?? [];
  const entryPoints = ['scheduler.ts', 'worker.ts', 'http.ts', 'indexes.ts'];
  expect(builds).toEqual(
    entryPoints.map((entryPoint) => ({
      handler: entryPoint.replace('.ts', '.handler'),
      entryPoint,
      options,
    })),
  );
  await buildAsSam(entryPoints, options);

  const producer = processor();
  const input = z.object({ name: z.string() });
  await producer.addJobFactory(defineJob({ name: 'greet', input, run: () => '' }));
  const id = await producer.addJob('greet', { name: 'Ada' });
  const [, health] = await Promise.all([
    invoke(folder, 'worker', {}, settings),
    invoke(folder, 'http', httpEvent('GET', '/health'), settings),
  ]);
  expect(await producer.getJobResult(id)).toBe('Hello, Ada');
  expect(health).toMatchObject({ statusCode: 200 });
});

/** The package is taken from its sources, which are not built here. */
async function buildAsSam(entryPoints: readonly string[], options: readonly string[]): Promise<void> {
  const paths = {
    'remote-processor': [join(root, 'src/index.ts')],
    'remote-processor/lambda': [join(root, 'handlers/lambda.ts')],
  };
  const tsconfig = join(folder, 'tsconfig.json');
  const jsx = { jsx: 'react-jsx', jsxImportSource: 'hono/jsx' };
  await writeFile(tsconfig, JSON.stringify({ compilerOptions: { paths, ...jsx } }));
  const always = [
    '--bundle',
    '--platform=node',
    `--outdir=${join(folder, 'handlers')}`,
    `--tsconfig=${tsconfig}`,
  ];
  await promisify(execFile)(esbuild, [...entryPoints, ...always, ...options], { cwd: example });
}
