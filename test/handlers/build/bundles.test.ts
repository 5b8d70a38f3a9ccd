import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineJob } from '../../../src/index.js';
import { bundleFunction, bundling, contentsOf } from '../../bundle-functions.js';
import { bundledProgram } from '../../bundled-program.js';
import { useDatabase } from '../../database.js';
import { invoke } from '../../package-functions.js';

const { uri, name: database, processor } = useDatabase();

let options: BuildOptions;
let folder: string;
beforeAll(async () => {
  options = await bundling();
  folder = await mkdtemp(join(tmpdir(), 'remote-processor-bundles-'));
});
afterAll(() => rm(folder, { recursive: true }));

const onDemand = ['@aws-sdk/', '@smithy/', 'piscina', 'handlers/jobs/webhook/send.ts'];
const ofSchedules = ['cron-parser', 'luxon', 'src/scheduler/'];
const ofHttp = ['hono', 'handlers/http/'];
const ofPages = ['handlers/http/dashboard/dashboard.tsx', 'handlers/http/dashboard/generated-assets.ts'];
const ofMetrics = ['@aws-lambda-powertools/', 'handlers/metrics.ts'];
const neverNeeded = [
  'idiomorph',
  'whatwg-url',
  'tr46',
  '@aws-sdk/credential-providers',
  '@aws-sdk/nested-clients',
  'bowser',
  'socks',
  'ip-address',
  '@hono/node-server',
  'mingo',
  'sorted-btree',
  'local/',
];

/** They load the rest of schedules on demand, or do without it, and are small themselves. */
const doors = ['load-operations', 'schedules', 'scheduler-collection'].map(
  (name) => `src/scheduler/${name}.ts`,
);

test.each([
  ['worker', [...onDemand, ...ofSchedules], [...neverNeeded, ...ofHttp]],
  ['scheduler', onDemand, [...neverNeeded, ...ofHttp]],
  ['http', [...onDemand, ...ofSchedules, ...ofPages, ...ofMetrics], neverNeeded],
])(
  'the bundle of %s holds only what it needs, and reads at its start only what it needs then',
  async (name, notAtStart, notAtAll) => {
    const entry = `handlers/${name}.ts`;
    const { atStart, inAll } = contentsOf(await bundleFunction(options, entry, folder), entry);
    expect(Object.keys(atStart)).toEqual(expect.arrayContaining(['mongodb', 'zod', 'src/processor.ts']));
    expect(among(notAtStart, atStart).filter((source) => !doors.includes(source))).toEqual([]);
    expect(among(notAtAll, inAll)).toEqual([]);
    expect(among(notAtStart, inAll)).not.toEqual([]);
  },
);

test('the AWS SDK comes into a bundle in part: no command that nobody sends', async () => {
  const metafile = await bundleFunction(options, 'handlers/worker.ts', folder);
  const commands = Object.entries(metafile.inputs).filter(
    ([file]) => /client-\w+.*\/commands\/\w+Command\.js$/.test(file) && isUsed(metafile, file),
  );
  expect(commands.map(([file]) => basename(file)).toSorted()).toEqual([
    'GetSecretValueCommand.js',
    'InvokeCommand.js',
    'SendMessageBatchCommand.js',
  ]);
});

test.each(['esm', 'cjs'] as const)(
  'one file of %s without the AWS SDK starts, works, and tells what it lacks: an SDK by the first kick, the file of threads by the first job',
  async (format) => {
    const producer = processor();
    await producer.addJobFactory(defineJob({ name: 'hello', run: () => 'hello' }));
    await producer.addJobFactory(defineJob({ name: 'threaded', module: new URL('file:///none.mjs') }));
    const threaded = await producer.addJob('threaded');
    const alone = await mkdtemp(join(tmpdir(), 'remote-processor-alone-')); // Where there are no packages.
    try {
      const out = join(alone, format === 'esm' ? 'program.mjs' : 'program.cjs');
      const { outputFiles } = await build({
        ...bundledProgram,
        ...(format === 'cjs' && { banner: {} }),
        format,
        stdin: { contents: kickingProgram, resolveDir: import.meta.dirname, loader: 'ts' },
        external: ['@aws-sdk/*', '@napi-rs/nice'],
        logOverride: { 'empty-import-meta': 'silent' },
        outfile: out,
        write: false,
      });
      const [{ text } = { text: '' }] = outputFiles;
      expect(text.match(/^import .*@aws-sdk.*$/gm)).toBeNull();
      await writeFile(out, text);
      const env = { MONGODB_URI: uri, MONGODB_DATABASE: database, AWS_REGION: 'eu-central-1' };
      const { stdout } = await promisify(execFile)(process.execPath, [out], { env });

      for (const name of ['sqs', 'lambda', 'secrets-manager'])
        expect(stdout).toContain(
          `The package @aws-sdk/client-${name} is not installed. Do: npm i @aws-sdk/client-${name}`,
        );
      expect(stdout).toContain('claimed 3');
      // No other attempt could go better.
      expect(await producer.getJob(threaded)).toMatchObject({
        status: 'error',
        retryCounter: 1,
        errors: [{ message: expect.stringContaining('cannot run in this bundle: the file that its thread') }],
      });
    } finally {
      await rm(alone, { recursive: true });
    }
  },
);

/** As a user's own function bundles it: one file, with `createKick` and a worker. */
const kickingProgram = `
  import { createKick, createWorkerHandler } from '../../../handlers/lambda.js';
  import { closeMongoClients } from '../../../src/mongo/client.js';
  import { defineJob, RemoteProcessor, silentLogger } from '../../../src/index.js';
  import { MongoClient } from 'mongodb';

  const client = new MongoClient(process.env.MONGODB_URI);
  const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/wakeups';
  const hello = defineJob({ name: 'hello', run: () => 'hello' });
  const threaded = defineJob({ name: 'threaded', module: new URL('file:///none.mjs') });
  const context = { awsRequestId: '1', getRemainingTimeInMillis: () => 60_000 };
  const log = { ...silentLogger, warn: (message, { error }) => console.log(message, error), error: console.log };

  async function main() {
    for (const kick of [createKick({ queueUrl, log }), createKick({ functionName: 'worker', log })]) {
      const processor = new RemoteProcessor({ db: client.db(process.env.MONGODB_DATABASE), log: silentLogger, kick });
      await processor.addJob('hello');
    }
    const work = createWorkerHandler({ jobs: [hello, threaded], log: silentLogger, publishMetrics: () => {} });
    console.log('claimed', (await work({}, context)).claimed);
    process.env.SECRET_ID = 'secret';
    await createWorkerHandler({ jobs: [hello], log })({}, context).catch((error) => console.log(String(error)));
    await client.close();
    await closeMongoClients();
  }
  main();
`;

function isUsed({ outputs }: Metafile, file: string): boolean {
  return Object.values(outputs).some(({ inputs }) => (inputs[file]?.bytesInOutput ?? 0) > 0);
}

test('a job that adds a schedule loads what that takes', async () => {
  const producer = processor();
  await bundleFunction(options, 'test/handlers/build/scheduling-worker.ts', join(folder, 'handlers'));
  const invokeIt = () =>
    invoke(
      folder,
      'scheduling-worker',
      {},
      { MONGODB_URI: uri, MONGODB_DATABASE: database, LOG_LEVEL: 'warn' },
    );
  await invokeIt(); // Registers the job.
  const id = await producer.addJob('plan');

  expect(await invokeIt()).toMatchObject({ claimed: 1, completed: 1 });

  const [item] = await producer.getSchedulers();
  expect(item).toMatchObject({ cron: '0 9 * * MON', jobName: 'plan' });
  expect(await producer.getJobResult(id)).toBe(item?.id);
});

/** Those of the contents that are, or begin with, one of the names. */
function among(names: readonly string[], contents: Readonly<Record<string, number>>): string[] {
  return Object.keys(contents).filter((source) =>
    names.some((name) => source === name || (name.endsWith('/') && source.startsWith(name))),
  );
}
