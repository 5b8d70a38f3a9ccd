import { createHash } from 'node:crypto';
import type { SubprocessContext } from '../../src/job/job-context.js';
import type { ChecksumInput, ChecksumOutput } from './checksum.js';

/**
 * How often the job pauses so that its signal can fire, in milliseconds. It is far below the second after which a job
 * that ignores its signal is killed.
 */
const PAUSE_EVERY_MS = 250;

/** Does the work of the `checksum` job, in a thread of its own. */
export default async function checksum({
  input: { data, algorithm, rounds },
  signal,
  progress,
}: SubprocessContext<ChecksumInput>): Promise<ChecksumOutput> {
  const bytes = Buffer.from(data, 'base64');
  let digest = Buffer.alloc(0);
  let pauseAt = performance.now() + PAUSE_EVERY_MS;

  for (let round = 1; round <= rounds; round += 1) {
    digest = createHash(algorithm).update(digest).update(bytes).digest();
    if (performance.now() < pauseAt) continue;
    await progress(round, rounds); // The signal can fire only while this thread waits.
    signal.throwIfAborted();
    pauseAt = performance.now() + PAUSE_EVERY_MS;
  }
  return { algorithm, rounds, bytes: bytes.length, digest: digest.toString('hex') };
}
