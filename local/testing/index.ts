/**
 * `remote-processor/testing` tests your own jobs, without a database server and without waiting.
 *
 * @module remote-processor/testing
 */
import '../../src/require-zod.js';

export { expectAdded, type InputPredicate } from './expect-added.js';
export type { WhichJob } from './faults.js';
export type { GivenSignal, RunStep } from './memory-steps.js';
export {
  createTestProcessor,
  type EndedAttempt,
  type TestProcessor,
  type TestProcessorOptions,
} from './processor.js';
export {
  type BatchedJobRun,
  type JobRun,
  type LoggedLine,
  type RunBatchOptions,
  type RunJobOptions,
  runBatch,
  runJob,
} from './run-job.js';
