import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { type ChecksumInput, checksum } from '../../../handlers/jobs/checksum.js';
import work from '../../../handlers/jobs/checksum.subprocess.js';
import { closeSubprocessPool } from '../../../src/subprocess/run-in-subprocess.js';
import { useDatabase } from '../../database.js';

const { processor: makeProcessor } = useDatabase();
afterEach(closeSubprocessPool);

const hello = Buffer.from('hello').toString('base64');
const helloSha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const never = new AbortController().signal;

test('gives the checksum of the bytes', async () => {
  const processor = makeProcessor();
  await processor.addJobFactory(checksum);
  const id = await processor.addJob(checksum, { data: hello });
  await processor.processNextJob();
  expect(await processor.getJobResult(id)).toEqual({
    algorithm: 'sha256',
    rounds: 1,
    bytes: 5,
    digest: helloSha256,
  });
});

test('hashes each digest, followed by the bytes, in the next round', async () => {
  const first = createHash('sha512').update('hello').digest();
  const second = createHash('sha512').update(first).update('hello').digest('hex');
  const input: ChecksumInput = { data: hello, algorithm: 'sha512', rounds: 2 };
  expect(await work({ input, signal: never, progress: async () => {}, log: () => {} })).toMatchObject({
    digest: second,
  });
});

test('takes no bytes too, and by default one round of SHA-256', async () => {
  const input = await checksum.parseInput({ data: '' });
  expect(input).toEqual({ data: '', algorithm: 'sha256', rounds: 1 });
});

test('shows its progress, and ends soon once its job is cancelled', async () => {
  const processor = makeProcessor({ maxThreads: 1, lease: 1000 });
  await processor.addJobFactory(checksum);
  const id = await processor.addJob(checksum, { data: hello, rounds: 10_000_000 });
  processor.startProcessor();
  await expect
    .poll(async () => (await processor.getJob(id))?.progress, { timeout: 100_000 })
    .toMatchObject({ of: 10_000_000 });
  await processor.cancelJob(id);
  await expect.poll(() => processor.getJobStatus(id), { timeout: 100_000 }).toBe('cancelled');
});

test('heeds its signal at the next pause', async () => {
  const controller = new AbortController();
  const progress = async () => controller.abort(new Error('enough'));
  const input: ChecksumInput = { data: hello, algorithm: 'sha256', rounds: 10_000_000 };
  await expect(work({ input, signal: controller.signal, progress, log: () => {} })).rejects.toThrow('enough');
});

test.each<[string, Record<string, unknown>]>([
  ['data', { data: 'not base64!' }],
  ['data', { data: 'A'.repeat(1_000_004) }],
  ['data', {}],
  ['algorithm', { data: hello, algorithm: 'md5' }],
  ['rounds', { data: hello, rounds: 0 }],
  ['rounds', { data: hello, rounds: 1.5 }],
  ['rounds', { data: 'A'.repeat(1_000_000), rounds: 100_000 }],
  ['extra', { data: hello, extra: 1 }],
])('refuses an input with a bad %s', async (path, input) => {
  await expect(checksum.parseInput(input)).rejects.toMatchObject({
    issues: [expect.objectContaining({ path })],
  });
});
