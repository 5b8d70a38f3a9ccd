/** The mongodb driver and zod are the project's own: this package works with the lowest that its ranges allow. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, inject, test } from 'vitest';
import type * as core from '../../src/index.js';
import { silent } from '../database.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** This package, with another driver and another zod, as a project would install them. */
async function withPeers(
  driver: string,
): Promise<typeof core & { MongoClient: ClientClass; z: typeof import('zod') }> {
  const outfile = join(inject('programsFolder'), `${driver}.mjs`);
  await build({
    stdin: {
      contents:
        "export * from './src/index.ts'; export { MongoClient } from 'mongodb'; export * as z from 'zod';",
      resolveDir: root,
    },
    alias: { mongodb: driver, zod: 'zod-lowest' },
    outfile,
    bundle: true,
    external: ['piscina'],
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  });
  return import(outfile);
}

interface ClientClass {
  new (
    uri: string,
  ): {
    db(name: string): core.AnyDb & { dropDatabase(): Promise<unknown> };
    close(): Promise<unknown>;
  };
}

test.each(['mongodb-6', 'mongodb-lowest'])('%s and the lowest zod do', async (driver) => {
  const { defineJob, MongoClient, RemoteProcessor, z } = await withPeers(driver);
  const client = new MongoClient(inject('mongodbUri'));
  const db = client.db(`peers-${driver}-${process.pid}`);
  const double = defineJob({
    name: 'double',
    input: z.object({ n: z.int().min(1) }),
    output: z.number(),
    run: async ({ input }) => 2 * input.n,
  });
  const processor = new RemoteProcessor({ db, log: silent });
  await processor.ensureIndexes();
  await processor.addJobFactory(double);
  const ids = await Promise.all(
    Array.from({ length: 20 }, () => processor.addJob('double', { n: 21 }, { uniqueKey: 'one' })),
  );
  expect(new Set(ids).size).toBe(1);
  const stranger = new RemoteProcessor({ db, log: silent });
  await expect(stranger.addJob('double', { n: 'many' })).rejects.toMatchObject({ issues: [{ path: 'n' }] });
  await processor.addScheduler({
    type: 'Delay',
    delay: '1h',
    jobName: 'double',
    input: { n: 1 },
    active: true,
  });
  expect(await processor.scheduleDueItems()).toEqual([]);
  expect(await processor.drain()).toMatchObject({ completed: 1 });
  expect(await processor.getJobResult(String(ids[0]))).toBe(42);
  expect((await processor.jobs.list()).jobs).toHaveLength(1);
  await db.dropDatabase();
  await client.close();
});
