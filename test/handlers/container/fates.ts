import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { defineJob, RemoteException } from '../../../src/index.js';

/** The secret that a job gets as input, and puts into its output and progress. No log may contain it. */
const input = z.object({ secret: z.string() });

/** Jobs of every fate, by name. */
export const fates = [
  defineJob({
    name: 'completes',
    input,
    run: async ({ input, progress }) => {
      await progress({ so: { far: input.secret } });
      return { told: input.secret };
    },
  }),
  defineJob({
    name: 'fails',
    input,
    run: async () => {
      throw new RemoteException('It is hopeless.');
    },
  }),
  defineJob({
    name: 'is-retried',
    input,
    retryDelay: '1h',
    run: async () => {
      throw new Error('Try again.');
    },
  }),
  defineJob({
    name: 'times-out',
    input,
    timeout: 1,
    retryDelay: '1h',
    run: ({ signal }) => setTimeout(60_000, undefined, { signal }),
  }),
  defineJob({
    name: 'heeds-signal',
    input,
    run: ({ signal }) => setTimeout(60_000, undefined, { signal }),
  }),
  defineJob({
    name: 'leaves-rejection',
    input,
    retryDelay: '1h',
    run: async ({ signal }) => {
      void Promise.reject(new Error('Nobody waits for me.'));
      await setTimeout(60_000, undefined, { signal });
    },
  }),
  defineJob({
    name: 'rejects-later',
    input,
    run: async () => {
      void new Promise((resolve) => process.once('SIGUSR2', resolve)).then(() => {
        throw new Error('Nobody waits for me any more.');
      });
    },
  }),
  defineJob({ name: 'ignores-signal', input, run: () => new Promise(() => {}) }),
  defineJob({
    name: 'goes-on',
    input,
    run: async () => {
      await setTimeout(10_000);
      console.log('{ "message": "It went on" }');
    },
  }),
];
