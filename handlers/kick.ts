import * as z from 'zod';
import { Backoff } from '../src/backoff.js';
import { type JobsReady, jsonLogger, type Logger } from '../src/index.js';
import { loggerSchema } from '../src/log-level.js';
import { validateNow } from '../src/validate.js';
import { type WorkerLimits, workersWanted } from './scale-out.js';
import { MAX_KICK_DEPTH } from './wake-up-event.js';
import { invocationStarter, noStarter, queueStarter, type WorkerStarter } from './worker-starters.js';

/**
 * Asks for workers, so that jobs need not wait for the worker's next scheduled run. Can be used as the `kick` of a
 * `RemoteProcessor`. A kick carries no data and may get lost. Never rejects.
 */
export type AskForWorkers = (request?: KickRequest) => Promise<void>;

export interface KickRequest extends Partial<JobsReady> {
  /**
   * The number of kicks in a row that led to this one. Each was sent by the worker that the previous one started.
   * Default 0.
   */
  readonly depth?: number;
  /** The number of workers to start. Default: as many as that number of `jobs` needs. One if `jobs` is missing. */
  readonly workers?: number;
}

const kickedSchema = z.object({ kick: z.object({ depth: z.int().min(0).max(MAX_KICK_DEPTH) }) });

/** Returns the depth of a kick, or undefined for any other event. */
export function kickDepth(event: unknown): number | undefined {
  const result = kickedSchema.safeParse(event);
  return result.success ? result.data.kick.depth : undefined;
}

export interface KickOptions {
  /** The name or ARN of the worker function to invoke. Without this and `queueUrl`, a kick does nothing. */
  readonly functionName?: string | undefined;
  /**
   * The URL of the SQS queue whose messages invoke the worker. Replaces `functionName`, and can also start workers
   * later.
   */
  readonly queueUrl?: string | undefined;
  /** The region of the function and the queue. Default: `AWS_REGION` of the environment. */
  readonly region?: string | undefined;
  /** The endpoint of a Lambda service other than AWS's own. */
  readonly endpoint?: string | undefined;
  /** The limits of the deployment's workers. Without them, any number of jobs starts one worker. */
  readonly limits?: WorkerLimits;
  /** How long an idle worker of the deployment waits for a job, in milliseconds. Default 0. */
  readonly lingerMs?: number;
  /** The log. Default: JSON lines on standard output. */
  readonly log?: Logger;
}

const text = z.string().optional();
const fromOne = z.int().min(1);

const kickOptionsSchema = z.strictObject({
  functionName: text,
  queueUrl: text,
  region: text,
  endpoint: text,
  limits: z.strictObject({ maxThreads: fromOne, maxWorkers: fromOne }).optional(),
  lingerMs: z.number().min(0).optional(),
  log: loggerSchema.optional(),
});

/**
 * Makes the kick of a deployment, for `RemoteProcessor`. The process needs the permission `sqs:SendMessage` on the
 * queue. Without a queue, it needs `lambda:InvokeFunction` on the worker function. While a kick is under way, other
 * kicks that ask for no more workers share it. After a failed kick, none is sent for a second. Each further failure
 * doubles this pause, up to half a minute.
 *
 * @example
 * const kick = createKick({ queueUrl: process.env.WAKE_UP_QUEUE_URL });
 * const processor = new RemoteProcessor({ db, kick });
 * @throws ValidationError listing invalid options
 */
export function createKick(options: KickOptions): AskForWorkers {
  validateNow(kickOptionsSchema, options, 'The call of createKick');
  const { log = jsonLogger } = options;
  const starter = starterOf(options);
  const backoff = new Backoff();
  let underWay: { readonly workers: number; readonly kicked: Promise<unknown> } | undefined;

  async function startNow(depth: number, workers: number): Promise<void> {
    if (underWay === undefined || underWay.workers < workers) {
      const more = workers - (underWay?.workers ?? 0);
      const mine = {
        workers,
        kicked: Promise.all([underWay?.kicked, starter.start({ depth, workers: more })]),
      };
      underWay = mine;
      const end = () => {
        if (underWay === mine) underWay = undefined;
      };
      mine.kicked.then(end, end);
    }
    await underWay.kicked;
  }

  async function start(depth: number, workers: number, dueInMs: readonly number[]): Promise<void> {
    const results = await Promise.allSettled([
      workers > 0 ? startNow(depth, workers) : undefined,
      dueInMs.length > 0 ? starter.startLater(dueInMs) : undefined,
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  return async ({ depth = 0, workers: asked, ...ready } = {}) => {
    const { dueInMs = [] } = ready;
    const workers = asked ?? workersFor(ready, options);
    if (workers === 0 && dueInMs.length === 0) return;
    if (depth > MAX_KICK_DEPTH) return log.info('No kick: the chain is too long', { depth });
    await backoff.run(
      () => start(depth, workers, dueInMs),
      (error, pauseMs) =>
        log.warn('The kick failed: jobs wait for the next minute', { depth, pauseMs, error: String(error) }),
    );
  };
}

function starterOf({ functionName, queueUrl, region, endpoint }: KickOptions): WorkerStarter {
  if (queueUrl !== undefined) return queueStarter(queueUrl, region);
  return functionName === undefined ? noStarter : invocationStarter(functionName, { region, endpoint });
}

/** Returns how many workers to start. Does not count live workers, since a surplus worker ends at once. */
function workersFor(
  { jobs = 1, dueInMs = [] }: Partial<JobsReady>,
  { limits, lingerMs = 0 }: Pick<KickOptions, 'limits' | 'lingerMs'>,
): number {
  const waits = dueInMs.some((ms) => ms <= lingerMs) ? 1 : 0;
  if (jobs === 0 || limits === undefined) return Math.min(1, jobs + waits);
  return Math.max(1, workersWanted({ ready: jobs, waitedMs: 0, live: 0 }, limits));
}
