import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobContext } from '../../src/index.js';
import { closeSubprocessPool } from '../../src/subprocess/run-in-subprocess.js';
import { useDatabase } from '../database.js';
import { odd, oddities } from './odd.js';

const database = useDatabase();
const module = new URL('./modules/behaviour.subprocess.js', import.meta.url);

afterAll(closeSubprocessPool);

const acts = {
  'return odd': ({ input }: JobContext<{ what: string }>) => odd(input.what),
  'throw odd': ({ input }: JobContext<{ what: string }>) => {
    throw odd(input.what);
  },
  'report odd': ({ input, progress }: JobContext<{ what: string }>) => progress(odd(input.what)),
};

/** Does the same with every oddity in this thread and in a subprocess, and returns what became of the jobs. */
async function both(act: keyof typeof acts, output: z.ZodType = z.unknown()) {
  const seen: unknown[] = [];
  const settings = {
    input: z.object({ do: z.string(), what: z.string() }),
    output,
    retryDelay: ({ error }: { error: unknown }) => {
      seen.push(inspect(error, { depth: 4 }).replaceAll(/\n +at .*/g, ''));
      return '1h';
    },
  };
  const own = defineJob({ ...settings, name: 'own', run: acts[act] });
  const sub = defineJob({ ...settings, name: 'sub', module });
  const processor = database.processor({ maxThreads: 1 });
  await processor.addJobFactories([own, sub]);
  return Promise.all(
    [own, sub].map(async ({ name }) => {
      const jobs = oddities.map((what) => ({ name, input: { do: act, what } }));
      return processor.addJobs(jobs);
    }),
  ).then(async ([ownIds = [], subIds = []]) => {
    await processor.drain();
    const outcomes = async (ids: readonly string[]) =>
      Promise.all(
        ids.map(async (id, index) => {
          const job = await processor.getJob(id);
          const errors = job?.errors.map(({ message, causes = [] }) => [
            message.replaceAll("'sub'", "'own'"),
            causes.map((cause) => [cause.path, cause.name, cause.message]),
          ]);
          return [oddities[index], job?.status, job?.output, job?.progress, errors];
        }),
      );
    return { own: await outcomes(ownIds), sub: await outcomes(subIds), seen };
  });
}

/** A Map with a function cannot leave its thread: that is told, but in other words. */
const told = (outcomes: readonly unknown[][]) => outcomes.filter(([what]) => what !== 'map');

describe('a subprocess and the own thread are alike in', () => {
  test('what becomes of an output', async () => {
    const { own, sub } = await both('return odd');
    expect(told(sub)).toEqual(told(own));
    const statusOf = (name: string) => sub.find(([what]) => what === name)?.[1];
    expect(['plain', 'id', 'proxy', 'nothing'].map(statusOf)).toEqual(Array(4).fill('completed'));
    const refused = ['function', 'symbol', 'instance', 'circle', 'getter', 'map', 'bigint', 'hole', 'deep'];
    expect(refused.map(statusOf)).toEqual(refused.map(() => 'error'));
  });

  test('what a schema makes of an output', async () => {
    const { own, sub } = await both(
      'return odd',
      z.object({ g: z.number() }).or(z.object({ name: z.string() })),
    );
    // What a schema reads of an error, which has it from its class, does not cross.
    const isError = ([what]: readonly unknown[]) => what === 'error' || what === 'aggregate';
    const others = (outcomes: readonly unknown[][]) => told(outcomes).filter((each) => !isError(each));
    expect(others(sub)).toEqual(others(own));
    const completed = sub.filter(([, status]) => status === 'completed');
    const outputs = Object.fromEntries(completed.map(([what, , output]) => [what, output]));
    expect(outputs).toMatchObject({ function: { g: 1 }, 'an instance alone': { name: 'ann' } });
  });

  test('what is thrown, as it is stored, and as `retryDelay` sees it', async () => {
    const { own, sub, seen } = await both('throw odd');
    expect(told(sub)).toEqual(told(own));
    expect(sub.find(([what]) => what === 'aggregate')?.[4]).toEqual([
      [
        'both failed',
        [
          ['errors.0', 'TypeError', 'first'],
          ['errors.1', 'string', 'second'],
        ],
      ],
    ]);
    expect(seen).toContainEqual(expect.stringContaining('limits: { perSecond: 10 }'));
  });

  test('what becomes of progress', async () => {
    const { own, sub } = await both('report odd');
    expect(told(sub)).toEqual(told(own));
  });
});
