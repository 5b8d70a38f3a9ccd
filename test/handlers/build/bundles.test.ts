import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFunction, bundling, contentsOf } from '../../bundle-functions.js';
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
