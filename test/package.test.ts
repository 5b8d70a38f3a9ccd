/** What `npm pack` makes, installed into an empty project beside what its users choose themselves. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { defineJob } from '../src/index.js';
import { useDatabase } from './database.js';
import { eventually } from './eventually.js';
import { install, invoke, serverless } from './package-functions.js';
import { supportedVersions } from './supported-versions.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
const commandLine = 'node_modules/remote-processor/dist/local/cli/main.js';

/** What users bring along: the last one for its types. */
const chosen = ['mongodb', 'zod', '@types/node'];

const quickly = ['--prefer-offline', '--no-audit', '--no-fund'];

const { uri, name: databaseName, processor } = useDatabase();
const onDatabase = { PATH: process.env.PATH, MONGODB_URI: uri, MONGODB_DATABASE: databaseName };
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'remote-processor-project-'));
  await write('package.json', JSON.stringify({ type: 'module', private: true }));
  const { devDependencies } = manifestSchema.parse(await readJson(join(root, 'package.json')));
  const packages = chosen.map((name) => `${name}@${devDependencies[name]}`);
  const [tarball] = packedSchema.parse(
    JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', project], root)),
  );
  await run('npm', ['install', ...quickly, `./${tarball.filename}`, ...packages]);
});
afterAll(() => rm(project, { recursive: true }));

test('it brings less than 15 MB along, with nothing of the AWS SDK', async () => {
  const { packages } = lockSchema.parse(await readJson(join(project, 'node_modules/.package-lock.json')));
  const others = reachableFrom(chosen, packages);
  const brought = Object.keys(packages).filter((path) => !others.has(path));
  expect(brought).toContain('node_modules/remote-processor');
  expect(brought.join()).not.toMatch(/mongodb|bson|zod|@aws-sdk/);
  const sizes = await Promise.all(brought.map((path) => sizeOf(join(project, path))));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(15_000_000);
});

describe('strict TypeScript', () => {
  beforeAll(async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const [, example = ''] = /```ts run\n(.*?)```/s.exec(readme) ?? [];
    const imports = /^import .*;$/gm;
    const main = `async function main() {\n${example.replaceAll(imports, '')}\n}\nmain();\n`;
    await write('example.ts', example);
    await write('common.cts', [...(example.match(imports) ?? []), main].join('\n'));
    for (const name of ['entries.ts', 'entries.cts']) await write(name, entries);
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      types: ['node'],
      strict: true,
      skipLibCheck: false,
    };
    const files = ['example.ts', 'common.cts', 'entries.ts', 'entries.cts'];
    await write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  });

  test('compiles the example of README.md, which runs as ES module and as CommonJS', async () => {
    await node(tsc);
    expect(await readFile(join(project, 'common.cjs'), 'utf8')).toContain('require("remote-processor")');
    for (const program of ['example.js', 'common.cjs'])
      expect(await node(program)).toContain('\nHello, Ada\n');
  });

  test('takes its types with the lowest versions of the peers', async () => {
    await write(
      'tsconfig.lowest.json',
      JSON.stringify({ extends: './tsconfig.json', compilerOptions: lowest }),
    );
    await node(tsc, ...bundler, '--project', 'tsconfig.lowest.json');
  });

  describe.each(supportedVersions('TypeScript'))(
    '%s takes its types as ES modules and as CommonJS',
    (version) => {
      const name = `typescript-${version}`;
      const compiler = () => join(project, 'node_modules', name, 'bin/tsc');
      beforeAll(async () => {
        await run('npm', ['install', '--no-save', ...quickly, `${name}@npm:typescript@${version}`]);
        expect(await node(compiler(), '--version')).toContain(`Version ${version}.`);
      });

      // With node16, TypeScript lets CommonJS require no ES module.
      test.each(['node16', 'nodenext'])('with moduleResolution %s', async (resolution) => {
        await node(compiler(), '--noEmit', '--module', resolution, '--moduleResolution', resolution);
      });

      test('with moduleResolution bundler', async () => {
        await node(compiler(), ...bundler);
      });
    },
  );
});

const bundler = ['--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler'];

/** As Lambda's Node.js 20 and 22 are set. */
const noEsModules = '--no-experimental-require-module';

test('CommonJS has one copy of it with ES modules, and one where it cannot require those', async () => {
  await write(
    'copies.cjs',
    `const entries = ['remote-processor', 'remote-processor/lambda', 'remote-processor/local', 'remote-processor/testing'].map((name) => require(name));
     import('remote-processor').then(({ defineJob }) => console.log(entries[0].defineJob === defineJob));`,
  );
  expect(await node('copies.cjs')).toBe('true\n');
  expect(await node(noEsModules, 'copies.cjs')).toBe('false\n');
  expect(await node(noEsModules, 'common.cjs')).toContain('\nHello, Ada\n');
});

test('zod 3 beside it is refused by name, as ES module and as CommonJS', async () => {
  await mkdir(join(project, 'old/node_modules'), { recursive: true });
  const packed = join(project, 'node_modules/remote-processor');
  await cp(packed, join(project, 'old/node_modules/remote-processor'), { recursive: true });
  await symlink(join(root, 'node_modules/zod-3'), join(project, 'old/node_modules/zod'));
  const names = ['', '/lambda', '/local', '/testing'].map((entry) => `remote-processor${entry}`);
  const told = (load: string) =>
    `for (const name of ${JSON.stringify(names)}) try { ${load} } catch (error) { console.log(error.message); }`;
  await write('old/loads.mjs', told('await import(name)'));
  await write('old/loads.cjs', told('require(name)'));

  for (const program of [['old/loads.mjs'], ['old/loads.cjs'], [noEsModules, 'old/loads.cjs']]) {
    const lines = (await node(...program)).trimEnd().split('\n');
    expect(lines).toEqual(
      names.map(() => expect.stringContaining('zod 4 from 4.2 on, not with 3 or earlier')),
    );
  }
});

test('Jest runs jobs as CommonJS, in threads too, without a line of configuration', async () => {
  await run('npm', ['install', '--no-save', ...quickly, 'jest@30']);
  await write('double.subprocess.cjs', 'module.exports = async ({ input }) => 2 * input;');
  await write('jobs.test.cjs', jestTest);
  const page = await readFile(join(root, 'docs/testing.md'), 'utf8');
  const [, example = ''] = /```js\n(.*?)```/s.exec(page) ?? [];
  await write('jobs.cjs', jestJobs);
  await write('example.test.cjs', example);
  await node('node_modules/jest/bin/jest.js', '--testMatch', '**/{jobs,example}.test.cjs');
});

test('a function is bundled by the script of the documentation to the size of ours, without a warning, and works', async () => {
  await symlink(join(root, 'node_modules/esbuild'), join(project, 'node_modules/esbuild'));
  await write('worker.ts', worker);
  await write('double.subprocess.ts', 'export default ({ input }: { input: number }) => 2 * input;');
  const page = await readFile(join(root, 'docs/deploy/esbuild.md'), 'utf8');
  const [, script = ''] = /```ts\n(\/\/ build\.mjs\n.*?)```/s.exec(page) ?? [];
  await write(
    'build.mjs',
    script
      .replace(/\[.*'indexes'\]/, "['worker']")
      .replace('await build({', '$& logLevel: "warning", logLimit: 0,'),
  );

  const { stderr } = await promisify(execFile)(process.execPath, ['build.mjs'], { cwd: project });

  expect(stderr).toBe('');
  const folder = join(project, 'dist/worker');
  const files = await readdir(folder);
  const contents = await Promise.all(files.map((file) => readFile(join(folder, file))));
  expect(Buffer.concat(contents).toString()).not.toContain('EmbeddedMongo');
  const zip = zipSync(Object.fromEntries(files.map((file, index) => [file, contents[index] ?? none])));
  // Beside what our own function has, esbuild keeps what the HTTP API loads on demand, though nothing here asks for it.
  expect(zip.length).toBeLessThan(600_000);

  const producer = processor();
  await producer.addJobFactories([greet, double]);
  const ids = [await producer.addJob('greet', { name: 'Ada' }), await producer.addJob('double', 21)];
  const settings = { MONGODB_URI: uri, MONGODB_DATABASE: databaseName, LOG_LEVEL: 'warn' };
  await invoke(folder, 'worker', {}, settings, 'worker.mjs');
  expect(await Promise.all(ids.map((id) => producer.getJobResult(id)))).toEqual(['Hello, Ada', 42]);
});

test('a bundle of CommonJS has one copy of it', async () => {
  await write(
    'one-copy.mjs',
    `import { build } from 'esbuild';
     import { remoteProcessor } from 'remote-processor/esbuild';
     const contents = "require('remote-processor'); import('remote-processor/lambda');";
     const { metafile } = await build({
       stdin: { contents, resolveDir: '.' }, bundle: true, write: false, external: ['@aws-sdk/*'], plugins: [remoteProcessor()],
     });
     console.log(Object.keys(metafile.inputs).filter((file) => file.includes('/dist/commonjs/')));`,
  );
  expect(await node('one-copy.mjs')).toBe('[]\n');
});

test('the command line tells how it is used, and starts the whole of it', async () => {
  expect(await node(commandLine, '--help')).toContain('Usage: remote-processor');

  const { MONGODB_URI: _, ...env } = process.env;
  const child = spawn(process.execPath, [commandLine, 'start'], { cwd: project, env: { ...env, PORT: '0' } });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const exit = once(child, 'exit');
  try {
    await eventually(() => expect(printed).toContain('From now on the scheduler makes'));
    expect(printed).toMatch(/'echo' *│ 'completed' *│ 1/);
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
});

describe.each(['serverless', 'cdk'])('a project of init --with %s', (tool) => {
  const folder = () => join(project, '..', `${basename(project)}-${tool}`);
  const inFolder = (file: string, ...args: string[]) => run(file, args, folder());
  beforeAll(async () => {
    await node(commandLine, 'init', folder(), '--with', tool);
    const file = join(folder(), 'package.json');
    const [tarball = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
    const manifest = await readFile(file, 'utf8');
    await writeFile(file, manifest.replace(/"\^0\.[^"]*"/, JSON.stringify(`file:${join(project, tarball)}`)));
    await inFolder('npm', 'install', ...quickly);
  });
  afterAll(() => rm(folder(), { recursive: true }));

  test('has right types, and its test passes', async () => {
    await inFolder('npm', 'run', 'typecheck');
    expect(await inFolder('npm', 'test')).toMatch(/pass 2$/m);
  });

  test('starts with its own jobs', async () => {
    const { MONGODB_URI: _, ...env } = process.env;
    const key = 'the-key-of-a-project';
    const settings = { ...env, PORT: '0', API_KEY: key };
    const child = spawn('npm', ['start'], { cwd: folder(), env: settings, detached: true });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
    const exit = once(child, 'exit');
    try {
      await eventually(() => expect(printed).toMatch(/http:\/\/127\.0\.0\.1:\d+/));
      const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(printed) ?? [];
      const headers = { authorization: `Bearer ${key}` };
      for (const path of ['job-factories/greet', 'schedulers/good-morning'])
        await eventually(async () =>
          expect((await fetch(`${url}/v1/${path}`, { headers })).status).toBe(200),
        );
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      await exit;
    }
  });

  test('is bundled and packaged for its deployment', async () => {
    await inFolder('npm', 'run', 'build');
    if (tool === 'serverless') {
      await inFolder('npx', 'serverless', 'package');
      const packed = (await readdir(join(folder(), '.serverless'))).filter((name) => name.endsWith('.zip'));
      expect(packed.toSorted()).toEqual(['ensureIndexes.zip', 'http.zip', 'scheduler.zip', 'worker.zip']);
      const made = await readFile(
        join(folder(), '.serverless/cloudformation-template-update-stack.json'),
        'utf8',
      );
      expect(made.match(/"Type": "AWS::IAM::Role"/g)).toHaveLength(4);
      expect(made.match(/"Type": "AWS::CloudWatch::Alarm"/g)).toHaveLength(4);
    } else {
      await inFolder('npx', 'cdk', 'synth', '--quiet', '--no-notices');
      const made = await readdir(join(folder(), 'cdk.out'));
      expect(made).toContainEqual(expect.stringMatching(/-prod\.template\.json$/));
    }
  });
});

test('the example for AWS SAM compiles', async () => {
  await cp(join(root, 'examples/sam'), join(project, 'sam'), { recursive: true });
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    strict: true,
    noEmit: true,
  };
  await write('sam/tsconfig.json', JSON.stringify({ compilerOptions }));
  await node(tsc, '--project', 'sam');
});

describe('the example for containers', () => {
  const folder = () => join(project, 'container');
  beforeAll(async () => {
    await cp(join(root, 'examples/container'), folder(), { recursive: true });
    await symlink(join(project, 'node_modules'), join(folder(), 'node_modules'));
    await node(tsc, '--project', 'container');
    await processor().ensureIndexes();
  });

  test.each(['worker', 'scheduler', 'api'])(
    'starts its %s, which is healthy, and ends at SIGTERM',
    async (name) => {
      const { command, healthcheck } = await serviceOf(folder(), name);
      const args = command.map((argument) => argument.replace('8080', '0'));
      const metricsPort = name === 'worker' && { METRICS_PORT: '0' };
      const env = { HOST: '127.0.0.1', PORT: '0', ...metricsPort, ...onDatabase };
      const exit = await whileServing(args, { cwd: folder(), env }, async (url, printed) => {
        const [check = '', ...given] = healthcheck.map((argument) =>
          argument.replace(/http:\/\/[\w.]+:\d+/, url),
        );
        await eventually(() => run(check, given));
        const [, metrics] = /"Serving GET \/metrics","url":"(.*?)"/.exec(printed()) ?? [];
        if (metrics) expect(await (await fetch(`${metrics}/metrics`)).text()).toContain('running_jobs 0');
        expect(metrics !== undefined).toBe(name === 'worker');
      });
      expect(exit).toEqual([0, null]);
    },
  );
});

describe('the example for Express', () => {
  const folder = () => join(project, 'express');
  const order = JSON.stringify({ order: '4711', email: 'ada@example.com' });
  const confirmed = { status: 'completed', confirmation: 'Confirmed order 4711 to ada@example.com.' };

  beforeAll(async () => {
    await run('npm', ['install', '--no-save', ...quickly, 'express@5', '@types/express@5']);
    await cp(join(root, 'examples/express'), folder(), { recursive: true });
    await symlink(join(project, 'node_modules'), join(folder(), 'node_modules'));
    for (const name of ['esbuild', 'serverless-esbuild'])
      await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name)).catch(() => {});
    await node(tsc, '--project', 'express');
    await processor().ensureIndexes();
  });

  test('adds jobs, which the functions of its serverless.yml run', async () => {
    const env = { PORT: '0', ...onDatabase };
    await promisify(execFile)(process.execPath, [serverless, 'package'], { cwd: folder(), env });
    const worker = await install(unzipSync(await readFile(join(folder(), '.serverless/worker.zip'))));
    await whileServing(['node', 'dist/server.js'], { cwd: folder(), env }, async (url) => {
      expect(await ask(`${url}/orders`, order)).toEqual([202, { id: 'confirm-4711' }]);
      expect(await ask(`${url}/orders`, order)).toEqual([202, { id: 'confirm-4711' }]);
      expect(await ask(`${url}/orders`, '{}')).toMatchObject([422, { issues: [{ path: 'order' }, {}] }]);
      expect(await ask(`${url}/orders/4711`)).toEqual([200, { status: 'queued' }]);
      await invoke(
        worker,
        'worker',
        {},
        { MONGODB_URI: uri, MONGODB_DATABASE: databaseName, LOG_LEVEL: 'warn' },
        'worker.mjs',
      );
      expect(await ask(`${url}/orders/4711`)).toEqual([200, confirmed]);
    });
    await rm(worker, { recursive: true });
  });

  test('runs the whole of it on one machine', async () => {
    const env = { PATH: process.env.PATH, PORT: '0' };
    await whileServing(['node', 'dist/local.js'], { cwd: folder(), env }, async (url) => {
      await ask(`${url}/orders`, order);
      await eventually(async () => expect(await ask(`${url}/orders/4711`)).toEqual([200, confirmed]));
    });
  });
});

test('the example for Next.js is built and started, and its worker runs what it adds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'remote-processor-next-'));
  const env = {
    ...{ NEXT_TELEMETRY_DISABLED: '1', HOME: process.env.HOME },
    ...onDatabase,
  };
  try {
    await cp(join(root, 'examples/next'), folder, { recursive: true });
    const [tarball = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
    await run('npm', ['install', ...quickly, join(project, tarball)], folder);
    await processor().ensureIndexes();
    const next = 'node_modules/next/dist/bin/next';
    await promisify(execFile)(process.execPath, [next, 'build'], { cwd: folder, env });
    await whileServing(['node', next, 'start', '--port', '0'], { cwd: folder, env }, async (url) => {
      const order = JSON.stringify({ order: '815', email: 'ada@example.com' });
      expect(await submit(url, { order: '816', email: 'bob@example.com' })).toBe('/orders?order=816');
      expect(await ask(`${url}/orders`, order)).toEqual([202, { id: 'confirm-815' }]);
      const work = ['node', commandLine, 'work', '--jobs', './jobs.ts', '--health-port', '0'];
      const withTsx = { ...env, NODE_OPTIONS: '--import tsx' };
      await whileServing(work, { cwd: folder, env: withTsx }, async () => {
        const confirmation = 'Confirmed order 815 to ada@example.com.';
        const told = () => ask(`${url}/orders?order=815`);
        await eventually(async () =>
          expect(await told()).toEqual([200, { status: 'completed', confirmation }]),
        );
      });
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a kick without the AWS SDK tells what to install, and fails nothing', async () => {
  const script = `
    import { createKick } from 'remote-processor/lambda';
    await createKick({ functionName: 'worker', region: 'eu-central-1' })();
    await createKick({ queueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/wakeups', region: 'eu-central-1' })();`;
  const printed = await node('--input-type=module', '--eval', script);
  expect(printed).toContain('npm i @aws-sdk/client-lambda');
  expect(printed).toContain('npm i @aws-sdk/client-sqs');
});

/** Where the lowest versions of the peers are, as TypeScript finds them. */
const lowest = {
  paths: {
    mongodb: [join(root, 'node_modules/mongodb-6')],
    zod: [join(root, 'node_modules/zod-lowest')],
  },
};

const jestJobs = `
const { defineJob } = require('remote-processor');
const { z } = require('zod');
exports.remind = defineJob({
  name: 'remind',
  input: z.object({ user: z.string() }),
  run: () => {
    if (!new Date().toISOString().startsWith('2026-01-31')) throw new Error('The date is not that of the test.');
  },
});
`;

const jestTest = `
const { pathToFileURL } = require('node:url');
const { MongoClient } = require('mongodb');
const { defineJob, RemoteProcessor } = require('remote-processor');
const { startEmbeddedMongo } = require('remote-processor/local');
const { z } = require('zod');

test('runs jobs', async () => {
  const mongo = await startEmbeddedMongo();
  const client = new MongoClient(mongo.uri);
  const processor = new RemoteProcessor({ db: client.db('jest') });
  await processor.ensureIndexes();
  const input = z.number();
  await processor.addJobFactory(defineJob({ name: 'same', input, run: async ({ input }) => input }));
  const module = pathToFileURL(require.resolve('./double.subprocess.cjs'));
  await processor.addJobFactory(defineJob({ name: 'double', input, module }));
  const ids = [await processor.addJob('same', 21), await processor.addJob('double', 21)];
  await processor.processJobs();
  expect(await Promise.all(ids.map((id) => processor.getJobResult(id)))).toEqual([21, 42]);
  await client.close();
  await mongo.stop();
});
`;

const none = new Uint8Array();
const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }),
  run: async ({ input }) => `Hello, ${input.name}`,
});
const double = defineJob({ name: 'double', input: z.number(), module: new URL('file:///none.mjs') });
const worker = `
import { defineJob } from 'remote-processor';
import { createWorkerHandler } from 'remote-processor/lambda';
import * as z from 'zod'; // Not { z }: that cannot be tree-shaken.

const greet = defineJob({
  name: 'greet',
  input: z.object({ name: z.string() }),
  run: async ({ input }) => 'Hello, ' + input.name,
});
const double = defineJob({
  name: 'double',
  input: z.number(),
  module: new URL('./double.subprocess.js', import.meta.url),
});
export const handler = createWorkerHandler({ jobs: [greet, double] });
`;

/** Uses each entry point. */
const entries = `
import { defineJob, RemoteProcessor, type JobsFilter, type ScheduledInput } from 'remote-processor';
import { createWorkerHandler, type FunctionConfig, type WorkerResult } from 'remote-processor/lambda';
import { type EmbeddedMongo, LocalProcessor } from 'remote-processor/local';
import { createTestProcessor, type WhichJob } from 'remote-processor/testing';
import * as z from 'zod';

const greet = defineJob({ name: 'greet', input: z.object({ name: z.string() }), run: async ({ input }) => input.name });
export const handler = createWorkerHandler({ jobs: [greet] });
export const kept = { createTestProcessor, LocalProcessor, RemoteProcessor };
export type Named = JobsFilter | ScheduledInput<string> | FunctionConfig | WorkerResult | EmbeddedMongo | WhichJob;
`;

const manifestSchema = z.object({ devDependencies: z.record(z.string(), z.string()) });
const packedSchema = z.tuple([z.object({ filename: z.string() })]);
const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ dependencies: z.record(z.string(), z.string()).default({}) })),
});

const wordsSchema = z.array(z.string());
const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      command: wordsSchema.optional(),
      healthcheck: z.object({ test: z.tuple([z.literal('CMD')], z.string()).optional() }).optional(),
    }),
  ),
});

/** Returns what a service of the compose file starts, and how it is checked: its own way, or the Dockerfile's. */
async function serviceOf(folder: string, name: string) {
  const dockerfile = await readFile(join(folder, 'Dockerfile'), 'utf8');
  const listAfter = (instruction: string) => {
    const [, list = ''] = new RegExp(`^${instruction}.*?(\\[.*\\])$`, 'm').exec(dockerfile) ?? [];
    return wordsSchema.parse(JSON.parse(list));
  };
  const text = await readFile(join(folder, 'compose.yaml'), 'utf8');
  const { command, healthcheck } = composeSchema.parse(parse(text, { merge: true })).services[name] ?? {};
  return {
    command: [...listAfter('ENTRYPOINT'), ...(command ?? listAfter('CMD'))],
    healthcheck: healthcheck?.test?.slice(1) ?? listAfter('HEALTHCHECK.* CMD'),
  };
}

/**
 * Runs a program that listens on a port of its own choice, and ends it by SIGTERM after `use`. Returns its exit code and
 * the signal that ended it.
 */
async function whileServing(
  [program = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  use: (url: string, printed: () => string) => Promise<void>,
): Promise<unknown> {
  const child = spawn(program, args, options);
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const exit = once(child, 'exit');
  try {
    const port = await eventually(() => {
      const [, found] = /(?:http:\/\/[\w.]+:|port: )(\d+)/.exec(printed) ?? [];
      if (found === undefined) throw new Error(`It does not listen. It printed: ${printed}`);
      return found;
    });
    await use(`http://127.0.0.1:${port}`, () => printed);
    child.kill('SIGTERM');
    return await exit;
  } finally {
    child.kill('SIGKILL');
  }
}

/** Sends a POST with this body, or a GET without one. Returns the status and the body of the answer. */
async function ask(url: string, body?: string): Promise<[status: number, body: unknown]> {
  const request = body !== undefined && {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  };
  const response = await fetch(url, request || undefined);
  return [response.status, await response.json()];
}

/** Submits the form of a page as a browser without JavaScript does. Returns the address that it is sent to. */
async function submit(url: string, fields: Readonly<Record<string, string>>): Promise<string | null> {
  const form = new FormData();
  const [action = ''] = /\$ACTION_ID_\w+/.exec(await (await fetch(url)).text()) ?? [];
  for (const [name, value] of Object.entries({ [action]: '', ...fields })) form.set(name, value);
  const response = await fetch(url, { method: 'POST', body: form, redirect: 'manual' });
  return response.headers.get('location');
}

/** Where npm put these packages and what they depend on: side by side, as long as no two versions of one are needed. */
function reachableFrom(
  names: readonly string[],
  packages: z.output<typeof lockSchema>['packages'],
  found = new Set<string>(),
): Set<string> {
  for (const name of names) {
    const path = `node_modules/${name}`;
    if (found.has(path)) continue;
    found.add(path);
    reachableFrom(Object.keys(packages[path]?.dependencies ?? {}), packages, found);
  }
  return found;
}

/** In bytes, of all files in it. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function write(name: string, text: string): Promise<void> {
  return writeFile(join(project, name), text);
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}

/** Runs node in the project; an error has what it printed. */
function node(...args: string[]): Promise<string> {
  return run(process.execPath, args);
}

async function run(file: string, args: string[], cwd = project): Promise<string> {
  try {
    return (await promisify(execFile)(file, args, { cwd })).stdout;
  } catch (error) {
    const { stdout } = z.object({ stdout: z.string() }).parse(error);
    throw new Error(`${file} ${args.join(' ')} failed: ${stdout}`, { cause: error });
  }
}
