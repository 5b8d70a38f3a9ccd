/** Two copies of this package in one process: what one makes is known to the other. */
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { toProblem } from '../../handlers/http/failure.js';
import { toFailure } from '../../local/cli/to-failure.js';
import { isKind } from '../../src/brand.js';
import * as here from '../../src/index.js';
import { silent, useDatabase } from '../database.js';
import { program } from '../programs.js';

const database = useDatabase();

let there: typeof here;
let file: string;
beforeAll(async () => {
  file = await program('src/index.ts');
  there = await import(file);
});

const kinds = {
  ValidationError: (of: typeof here) =>
    new of.ValidationError('The input', [{ path: 'a', message: 'expected b' }]),
  UnknownJobNameError: (of: typeof here) => new of.UnknownJobNameError('none', []),
  NotFoundError: (of: typeof here) => new of.NotFoundError('job', '1'),
  ConflictError: (of: typeof here) => new of.ConflictError('1', 'taken'),
  ForbiddenError: (of: typeof here) => new of.ForbiddenError('a', 'write', 'read'),
  IndexMissingError: (of: typeof here) => new of.IndexMissingError(),
  ReadTimeoutError: (of: typeof here) => new of.ReadTimeoutError('jobs'),
  WaitTimeoutError: (of: typeof here) => new of.WaitTimeoutError('1', 'queued', 1000),
  SchemaFailedError: (of: typeof here) => new of.SchemaFailedError('Input', 'it threw'),
  ForeignDocumentsError: (of: typeof here) => new of.ForeignDocumentsError([{ collection: 'jobs', id: 1 }]),
  IndexConflictError: (of: typeof here) => new of.IndexConflictError(['jobs.claimable']),
  DuplicateValueError: (of: typeof here) => new of.DuplicateValueError([{ index: 'jobs.id', values: '1' }]),
  RemoteException: (of: typeof here) => new of.RemoteException('hopeless'),
  RetryAfter: (of: typeof here) => new of.RetryAfter('3m'),
  Snooze: (of: typeof here) => new of.Snooze('3m'),
};

test.each(Object.entries(kinds))('a %s of another copy is one, and nothing else', (name, make) => {
  expect(there.RemoteException).not.toBe(here.RemoteException);
  const error: unknown = make(there);
  expect(error instanceof here.RemoteProcessorError).toBe(true);
  const known = Object.keys(kinds).filter((kind) => error instanceof Object(Reflect.get(here, kind)));
  expect(known).toEqual([name]);
  expect(toProblem(error)).toEqual(toProblem(make(here)));
});

test('the command line tells an error of another copy as its own', async () => {
  for (const make of Object.values(kinds))
    expect(await toFailure(make(there))).toMatchObject({ exitCode: (await toFailure(make(here))).exitCode });
});

test("a class of a user's own that extends one of ours is asked for itself", () => {
  class Refused extends here.RemoteException {}
  expect(new Refused() instanceof Refused).toBe(true);
  expect(new Refused() instanceof here.RemoteException).toBe(true);
  expect(new Refused() instanceof there.RemoteException).toBe(true);
  expect(new here.RemoteException() instanceof Refused).toBe(false);
});

/** How a job ended whose code threw this. */
async function ended(throwing: here.JobFactory, input?: unknown): Promise<here.JobDocument | null> {
  const processor = database.processor();
  await processor.addJobFactory(throwing);
  const id = await processor.addJob(throwing.name, input);
  await processor.drain();
  return database.storedJob(id);
}

describe.each(['in this thread', 'in a subprocess'])(
  'an error of another copy that a job throws %s',
  (where) => {
    const throwing = (kind: 'RemoteException' | 'RetryAfter' | 'Snooze') =>
      where === 'in this thread'
        ? here.defineJob({
            name: 'throws',
            input: z.unknown(),
            run: () => Promise.reject(kinds[kind](there)),
          })
        : here.defineJob({
            name: 'throws',
            input: z.unknown(),
            module: new URL('./throwing.subprocess.js', import.meta.url),
          });

    test('is not retried when it is a RemoteException', async () => {
      const job = await ended(throwing('RemoteException'), { copy: file, kind: 'RemoteException' });
      expect(job).toMatchObject({ status: 'error', errors: [{ message: 'hopeless' }] });
    });

    test.each(['RetryAfter', 'Snooze'] as const)('waits as long as a %s says', async (kind) => {
      const job = await ended(throwing(kind), { copy: file, kind });
      expect(job).toMatchObject({ status: 'queued', retryCounter: kind === 'Snooze' ? 0 : 1 });
      const waitsMs = Number(job?.runAt) - Number(job?.started ?? job?.created);
      expect(waitsMs).toBeGreaterThan(170_000);
    });
  },
);

test('a job that another copy defined is registered, added, run, and validated', async () => {
  const { z: zod } = await import('zod');
  const processor = database.processor();
  const double = there.defineJob({
    name: 'double',
    input: zod.number(),
    run: async ({ input }) => 2 * input,
  });
  await processor.addJobFactory(double);
  await expect(processor.addJob('double', 'text')).rejects.toBeInstanceOf(here.ValidationError);
  const id = await processor.addJob('double', 4);
  await processor.processJobs();
  expect(await processor.getJobResult(id)).toBe(8);
});

test('a processor of another copy works on the same jobs', async () => {
  const theirs = new there.RemoteProcessor({ db: database.db, log: silent });
  const echo = here.defineJob({ name: 'echo', input: z.unknown(), run: async ({ input }) => input });
  await theirs.addJobFactory(echo);
  const id = await theirs.addJob('echo', { a: 1 });
  await theirs.drain();
  expect(await database.processor().getJobResult(id)).toEqual({ a: 1 });
});

describe('what only pretends', () => {
  const fails = () => {
    throw new Error('do not ask');
  };
  const brand = Symbol.for('remote-processor.brand');
  const hostile: Record<string, unknown> = {
    'a plain object': { [brand]: 'remote_exception', code: 'remote_exception' },
    'an error with the code of ours': Object.assign(new Error('no'), { code: 'remote_exception' }),
    'an error whose brand is no text': Object.assign(new Error('no'), { [brand]: {} }),
    'an error whose brand throws': Object.defineProperty(new Error('no'), brand, { get: fails }),
    'a proxy that refuses to answer': new Proxy(new Error('no'), {
      get: fails,
      getPrototypeOf: fails,
      has: fails,
    }),
    null: null,
  };

  test.each(Object.entries(hostile))('to be an error is none of ours: %s', async (_, thrown) => {
    expect(isKind(thrown, here.RemoteProcessorError)).toBe(false);
    const run = () => Promise.reject(thrown);
    expect(await ended(here.defineJob({ name: 'throws', run }))).toMatchObject({
      status: 'queued',
      retryCounter: 1,
    });
  });

  test('to be a RetryAfter with a delay that is none waits as any error does', async () => {
    const thrown = Object.assign(new Error('no'), { [brand]: 'retry_after', delay: { valueOf: fails } });
    const run = () => Promise.reject(thrown);
    expect(await ended(here.defineJob({ name: 'throws', run }))).toMatchObject({
      status: 'queued',
      retryCounter: 1,
    });
  });

  test('to be a job factory is refused', async () => {
    const mark = Symbol.for('remote-processor.jobFactory');
    const factory = here.defineJob({ name: 'a', run: async () => null });
    const pretenders = [
      { ...factory, [mark]: false },
      { name: 'a', [mark]: true },
      new Proxy(factory, { get: fails }),
      JSON.parse(JSON.stringify(factory)),
    ];
    for (const pretender of pretenders)
      await expect(database.processor().addJobFactory('a', pretender)).rejects.toMatchObject({
        issues: [{ message: 'expected a job factory, made by defineJob' }],
      });
  });
});
