/** A project of a user's own, bundled by the plugin in the ways of several tools, and run by Node and nothing else. */
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as z from 'zod';
import { remoteProcessor } from '../../../handlers/build/esbuild.js';
import { defineJob } from '../../../src/index.js';
import { useDatabase } from '../../database.js';
import { invoke } from '../../package-functions.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const { uri, name: database, processor } = useDatabase();
const settings = { MONGODB_URI: uri, MONGODB_DATABASE: database, LOG_LEVEL: 'warn' };

const project = {
  'jobs.ts': `
    import { dirname } from 'node:path';
    import { createRequire } from 'node:module';
    import { fileURLToPath } from 'node:url';
    import { defineJob } from 'remote-processor';
    import * as z from 'zod';
    const __dirname = dirname(fileURLToPath(import.meta.url));
    const require = createRequire(import.meta.url);
    const path = require('node:path');
    // Names that a banner must not declare once more, and a URL that is none: new URL('./none.js', import.meta.url)
    console.error(path.join(__dirname, 'x'));
    export const double = defineJob({
      name: 'double',
      input: z.number(),
      module: new URL('./double.subprocess.js', import.meta.url),
    });`,
  'double.subprocess.ts': `
    import { Worker } from 'node:worker_threads';
    import { twice } from './twice.js';
    export const again = () => new Worker(new URL('./double.subprocess.ts', import.meta.url));
    export default ({ input }: { input: number }) => twice(input);`,
  'twice.ts': 'export const twice = (value: number) => 2 * value;',
  'worker.ts': `
    import { createWorkerHandler } from 'remote-processor/lambda';
    import { double } from './jobs.js';
    export const handler = createWorkerHandler({ jobs: [double] });`,
  'other.ts': `export { double } from './jobs.js';`,
};

const double = defineJob({ name: 'double', input: z.number(), module: new URL('file:///none.mjs') });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-processor-esbuild-'));
  for (const [name, text] of Object.entries(project)) await write(`src/${name}`, text);
  // The package is taken from its sources, which are not built here.
  const paths = {
    'remote-processor': [join(root, 'src/index.ts')],
    'remote-processor/lambda': [join(root, 'handlers/lambda.ts')],
    zod: [join(root, 'node_modules/zod')],
  };
  const jsx = { jsx: 'react-jsx', jsxImportSource: 'hono/jsx' };
  await write('tsconfig.json', JSON.stringify({ compilerOptions: { paths, ...jsx } }));
});
afterAll(() => rm(folder, { recursive: true }));

test.each<[string, string, BuildOptions]>([
  [
    'ES modules in several folders, which share chunks',
    'handlers/worker.mjs',
    {
      entryPoints: { 'handlers/worker': 'src/worker.ts', other: 'src/other.ts' },
      outdir: 'out/modules',
      outExtension: { '.js': '.mjs' },
      format: 'esm',
      splitting: true,
      minify: true,
    },
  ],
  [
    'one file of CommonJS',
    'worker.cjs',
    { entryPoints: ['src/worker.ts'], outfile: 'out/common/worker.cjs' },
  ],
])('%s run a job in a thread', async (_, file, options) => {
  await bundle(options);
  await runJob(join(folder, dirname(options.outfile ?? `${options.outdir}/x`)), file);
});

test('the Serverless Framework 4 packs the files of threads, which it does not know of', async () => {
  const built = '.serverless/build';
  // As it builds and packs a function.
  await bundle({
    entryPoints: [join(folder, 'src/worker.ts')],
    outfile: join(folder, built, 'src/worker.js'),
    format: 'esm',
    sourcemap: true,
  });
  const packed = join(folder, 'packed');
  await write('packed/package.json', '{ "type": "module" }');
  for (const part of ['src/worker.js', 'node_modules'])
    await cp(join(folder, built, part), join(packed, part), { recursive: true });
  await runJob(packed, 'src/worker.js');
});

test('a build in memory has them too, each once, and none that no file refers to', async () => {
  const { outputFiles } = await bundle({
    entryPoints: ['src/other.ts', 'src/twice.ts'],
    outdir: 'memory',
    format: 'esm',
    write: false,
  });
  const names = (outputFiles ?? []).map(({ path }) => path.slice(folder.length));
  expect(names.toSorted()).toEqual([
    expect.stringMatching(/^\/memory\/_+[\w-]+-src-subprocess-thread\.mjs$/),
    '/memory/other.js',
    '/memory/piscina-dist-worker.cjs',
    '/memory/src-double.subprocess.mjs',
    '/memory/twice.js',
  ]);
  await expect(readdir(join(folder, 'memory'))).rejects.toThrow('ENOENT');
});

test('a build of a text has them too', async () => {
  const { outputFiles } = await bundle({
    stdin: { contents: `export { double } from './src/jobs.js';`, resolveDir: folder },
    outdir: 'memory',
    format: 'esm',
    write: false,
  });
  const names = (outputFiles ?? []).map(({ path }) => basename(path));
  expect(names).toEqual(expect.arrayContaining(['stdin.js', 'src-double.subprocess.mjs']));
});

test('this package is searched for them wherever it is installed, and no other package is', async () => {
  const installed = 'node_modules/.pnpm/remote-processor@1.0.0/node_modules/remote-processor';
  await write(`${installed}/jobs.js`, `export const own = new URL('./own.js', import.meta.url);`);
  await write(`${installed}/own.js`, 'export default () => {};');
  await write('node_modules/other/index.js', `export const none = new URL('./none.js', import.meta.url);`);
  await write('src/installed.ts', `export * from '../${installed}/jobs.js'; export * from 'other';`);
  const { outputFiles } = await bundle({
    entryPoints: ['src/installed.ts'],
    outdir: 'memory',
    format: 'esm',
    write: false,
  });
  const names = (outputFiles ?? []).map(({ path }) => basename(path));
  expect(names).toEqual(['installed.js', 'installed.remote-processor-own.mjs']);
});

test('a job whose module is missing fails the build', async () => {
  await write(
    'src/wrong.ts',
    `export const wrong = { module: new URL('./missing.subprocess.js', import.meta.url) };`,
  );
  await expect(bundle({ entryPoints: ['src/wrong.ts'], outdir: 'wrong' })).rejects.toThrow(
    /src\/wrong\.ts names .*missing\.subprocess\.js, and there is neither it nor its source/,
  );
});

function bundle(options: BuildOptions) {
  return build({
    absWorkingDir: folder,
    bundle: true,
    platform: 'node',
    external: ['@aws-sdk/*'],
    logLevel: 'silent',
    ...options,
    plugins: [remoteProcessor()],
  });
}

async function runJob(where: string, file: string): Promise<void> {
  const producer = processor();
  await producer.addJobFactory(double);
  const id = await producer.addJob(double, 21);
  expect(await invoke(where, 'worker', {}, settings, file)).toMatchObject({ claimed: 1 });
  expect(await producer.getJob(id)).toMatchObject({ status: 'completed', output: 42 });
}

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), text);
}
