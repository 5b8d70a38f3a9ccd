import * as z from 'zod';
import { defineJob } from '../../src/job/define-job.js';

/** Maximum length of the data, in characters. It keeps the whole input below the API's limit of a megabyte. */
const MAX_DATA_LENGTH = 1_000_000;

const MAX_ROUNDS = 10_000_000;

/**
 * Maximum number of bytes to hash. They take about half a minute of CPU time, far below the 5 minutes of an invocation.
 */
const MAX_BYTES_HASHED = 20e9;

const inputSchema = z
  .strictObject({
    /** The bytes, in base64. */
    data: z.base64().max(MAX_DATA_LENGTH),
    algorithm: z.enum(['sha256', 'sha512']).default('sha256'),
    /**
     * The number of rounds. The first computes the plain checksum. Each further one hashes the previous digest and the
     * bytes.
     */
    rounds: z.int().min(1).max(MAX_ROUNDS).default(1),
  })
  .refine(({ data, rounds }) => data.length * rounds <= MAX_BYTES_HASHED, {
    path: ['rounds'],
    error: `expected at most ${MAX_BYTES_HASHED} bytes to hash: the length of data times the number of rounds`,
  });

const outputSchema = z.object({
  algorithm: z.enum(['sha256', 'sha512']),
  rounds: z.int(),
  bytes: z.int(),
  /** The digest, in hexadecimal. */
  digest: z.string(),
});

/** The input of the module, with its defaults. */
export type ChecksumInput = z.output<typeof inputSchema>;

export type ChecksumOutput = z.output<typeof outputSchema>;

/**
 * An example of a job that keeps a CPU busy. It computes the checksum of some bytes. With many rounds, it computes a
 * hash chain, which proves that time was spent. It runs in a thread, shows its progress, and can be cancelled.
 *
 * @example await processor.addJob(checksum, { data: Buffer.from('hello').toString('base64'), rounds: 1_000_000 });
 */
export const checksum = defineJob({
  name: 'checksum',
  input: inputSchema,
  output: outputSchema,
  module: new URL('./checksum.subprocess.js', import.meta.url),
});
