import type { FunctionConfig } from '../src/config.js';
import type { DrainSummary } from '../src/index.js';
import { keepJobRejections } from '../src/job-rejections.js';
import { workerPoolSize } from '../src/mongo/client.js';
import { validateNow } from '../src/validate.js';
import { emptySummary } from '../src/worker/summary.js';
import { addMessages } from './add-messages.js';
import { type Container, containerOf, type HandlerOptions } from './container.js';
import { deadlines } from './deadline.js';
import { endContainer } from './end-container.js';
import { invocations } from './invocation.js';
import type { LambdaContext, LambdaHandler } from './lambda-context.js';
import { cloudWatchMetrics, workerMetrics } from './metrics.js';
import { once } from './once.js';
import { handlerOptionsSchema } from './option-schemas.js';
import { isWakeUpQueue, type WakeUp } from './wake-up-event.js';
import { type Messages, readWorkerEvent } from './worker-event.js';

const poolOf = ({ MAX_THREADS }: FunctionConfig) => workerPoolSize(MAX_THREADS);

/**
 * How often a worker with free slots looks for new jobs. It must look by itself, since a kick starts no worker while
 * the maximum number runs.
 */
const POLL_INTERVAL = '1s';

/** The lowest concurrency that SQS's event source mapping allows. */
const LEAST_CONCURRENCY = 2;

/**
 * The result of an invocation. For SQS, `batchItemFailures` names the messages whose jobs were not added. It never
 * names wake-ups, since a failed wake-up need not be repeated.
 */
export type WorkerResult = DrainSummary & {
  readonly batchItemFailures?: readonly { readonly itemIdentifier: string }[];
};

/**
 * Returns the worker. It runs due jobs until none is left, or its time is nearly up. If jobs are left, it kicks the
 * next worker. If it has claimed no job itself, it kicks none, because the next worker would not claim any either.
 *
 * A job that goes on after it was told to stop would be frozen with the container, and go on in the middle of the next
 * invocation. So the container is ended after such a job.
 *
 * A job may leave a promise behind that rejects later, even between two invocations. Such a rejection is only logged.
 *
 * A kicked worker ends at once if the maximum number of workers is running. A scheduled worker does so only if the
 * maximum is one. If several workers were requested together, each starts the next.
 *
 * @returns a handler for a schedule of one minute, for kicks, for the queue of wake-ups, and for messages of SQS and
 *   SNS that add jobs. Its result says what became of the jobs. It throws for other events
 * @throws ValidationError listing invalid options
 */
export function createWorkerHandler(options: HandlerOptions): LambdaHandler<WorkerResult> {
  validateNow(handlerOptionsSchema, options, 'The call of createWorkerHandler');
  const { exit = endContainer } = options;
  const invocation = invocations(options.log);
  const deadlineOf = deadlines();
  const keepRejections = once(keepJobRejections);
  const useContainer = containerOf(
    { ...options, log: invocation.log },
    {
      poolSize: poolOf,
      secrets: ['MONGODB_URI', 'CALLBACK_SECRETS', 'WEBHOOK_SECRET', 'WEBHOOK_SECRETS'],
      keep: (container) => {
        keepRejections();
        return container;
      },
    },
  );
  const work = async (
    { depth, workers }: WakeUp,
    context: LambdaContext,
    { processor, kick, log, ready, config }: Container,
  ): Promise<DrainSummary> => {
    const began = performance.now();
    const deadline = deadlineOf(context);
    await ready();
    // A scheduled worker works even if enough workers seem to be alive, since they may have crashed. With a maximum of
    // one it ends too, because AWS allows two workers at a time, and it would be the second.
    const isSpare = depth !== undefined || config.MAX_WORKERS < LEAST_CONCURRENCY;
    if (isSpare && (await processor.workers.count()) >= config.MAX_WORKERS) {
      log.info('The maximum number of workers is running: this one is not needed', {
        workers: config.MAX_WORKERS,
      });
      return emptySummary();
    }
    if (workers > 1) await kick({ depth: depth ?? 0, workers: workers - 1 });
    const { DEADLINE_MARGIN: margin, LINGER: linger } = config;
    const limits = {
      deadline,
      margin,
      linger,
      lingersAlone: true,
      pollInterval: POLL_INTERVAL,
      stopWhenAbandoned: true,
    } as const;
    const summary = await processor.drain(limits);
    const durationMs = Math.round(performance.now() - began);
    log.info('Worker invocation ended', { ...summary, durationMs });
    const publish = options.publishMetrics ?? cloudWatchMetrics(config.METRICS);
    publish(context, workerMetrics(summary, durationMs));
    if (summary.claimed > 0 && summary.remaining > 0) await kick({ depth: (depth ?? 0) + 1 });
    if (summary.abandoned > 0) exit();
    return summary;
  };
  const add = async (
    { from, messages, queue, wakeUp }: Messages,
    context: LambdaContext,
    container: Container,
  ): Promise<WorkerResult> => {
    const { processor, log, ready, config } = container;
    await ready();
    const isMisplaced = isWakeUpQueue(queue, config.WAKE_UP_QUEUE_URL);
    const failed = isMisplaced
      ? messages.map(({ id }) => id)
      : await addMessages(processor, from, messages, log);
    const summary = wakeUp ? await work(wakeUp, context, container) : emptySummary();
    if (isMisplaced) throw misplaced(failed);
    if (from === 'sns' && failed.length > 0)
      throw new Error(`A message of SNS was not added as a job: ${failed.join(', ')}. The log tells why.`);
    return { ...summary, batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
  return async (event, context) => {
    const asked = readWorkerEvent(event);
    switch (asked.kind) {
      case 'warm-up':
        return emptySummary();
      case 'messages':
        invocation.begin(context);
        return useContainer((container) => add(asked, context, container));
      case 'work': {
        invocation.begin(context);
        const summary = await useContainer((container) => work(asked.wakeUp, context, container));
        return asked.isByQueue ? { ...summary, batchItemFailures: [] } : summary;
      }
    }
  };
}

/**
 * Returns the error for messages with jobs in the queue of wake-ups. That queue might drop a message before it is
 * retried.
 */
function misplaced(ids: readonly string[]): Error {
  return new Error(
    `The queue of wake-ups takes no messages with jobs to add: ${ids.join(', ')}. They were not added. Send them by a queue of your own that invokes the worker, or call addJob.`,
  );
}
