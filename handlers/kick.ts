import * as z from 'zod';
import { type JobsReady, jsonLogger, type Logger } from '../src/index.js';
import { once } from './once.js';
import { type WorkerLimits, workersWanted } from './scale-out.js';
import { TwoTries } from './two-tries.js';

/**
 * Asks for workers, so that jobs need not wait for the next minute. It carries no data, may be lost, and never fails. It
 * is a `kick` of `RemoteProcessor`.
 */
export type AskForWorkers = (request?: KickRequest) => Promise<void>;

export interface KickRequest extends Partial<JobsReady> {
  /** How many kicks in a row led to this one, each sent by the worker that the last one started. Default 0. */
  readonly depth?: number;
  /** How many workers. Default: as many as `jobs` ask for; one without them. */
  readonly workers?: number;
}

/** Workers that start each other this often are getting nowhere, or have enough to do until the next minute. */
export const MAX_KICK_DEPTH = 50;

const kickedSchema = z.object({ kick: z.object({ depth: z.int().min(0).max(MAX_KICK_DEPTH) }) });

/** The depth of the kick that this event is; undefined for any other event. */
export function kickDepth(event: unknown): number | undefined {
  const result = kickedSchema.safeParse(event);
  return result.success ? result.data.kick.depth : undefined;
}

export interface KickOptions {
  /** Name or ARN of the worker function. Without it a kick does nothing. */
  readonly functionName: string | undefined;
  /** Of the worker function. Default: that of the environment, `AWS_REGION`. */
  readonly region?: string | undefined;
  /** Another Lambda service than AWS's own. */
  readonly endpoint?: string | undefined;
  /** Of the workers of the deployment. Without them jobs, however many, ask for one. */
  readonly limits?: WorkerLimits;
  /** How long a worker of the deployment waits for a job. Default 0: not at all. */
  readonly lingerMs?: number;
  /** Default: JSON lines on standard output. */
  readonly log?: Logger;
}

/**
 * Makes the kick of a deployment, for `RemoteProcessor`. Its caller needs the permission `lambda:InvokeFunction` on the
 * worker function. While one is under way, others that ask for no more workers share it.
 *
 * @example
 * const kick = createKick({ functionName: 'remote-processor-prod-worker' });
 * const processor = new RemoteProcessor({ db, kick });
 */
export function createKick({ functionName, region, endpoint, log = jsonLogger, ...deployment }: KickOptions) {
  const invoke = functionName === undefined ? undefined : invokerOf(functionName, { region, endpoint });
  let underWay: { readonly workers: number; readonly kicked: Promise<unknown> } | undefined;

  async function kick(depth: number): Promise<void> {
    if (depth > MAX_KICK_DEPTH) return log.info('No kick: the chain is too long', { depth });
    try {
      await invoke?.(JSON.stringify({ kick: { depth } }));
    } catch (error) {
      log.warn('The kick failed: jobs wait for the next minute', { depth, error: String(error) });
    }
  }

  const ask: AskForWorkers = async ({ depth = 0, workers: given, ...ready } = {}) => {
    const workers = given ?? workersFor(ready, deployment);
    if (invoke === undefined || workers === 0) return;
    if (underWay === undefined || underWay.workers < workers) {
      const more = workers - (underWay?.workers ?? 0);
      const kicked = Promise.all([underWay?.kicked, ...Array.from({ length: more }, () => kick(depth))]);
      const mine = { workers, kicked };
      underWay = mine;
      void kicked.then(() => {
        if (underWay === mine) underWay = undefined;
      });
    }
    await underWay.kicked;
  };
  return ask;
}

/** Who lives already is not asked: a worker that finds too many ends at once. */
function workersFor(
  { jobs = 1, dueInMs = [] }: Partial<JobsReady>,
  { limits, lingerMs = 0 }: Pick<KickOptions, 'limits' | 'lingerMs'>,
): number {
  const waits = dueInMs.some((ms) => ms <= lingerMs) ? 1 : 0;
  if (jobs === 0 || limits === undefined) return Math.min(1, jobs + waits);
  return Math.max(1, workersWanted({ ready: jobs, waitedMs: 0, live: 0 }, limits));
}

interface Place {
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
}

/** Loads the SDK only where a kick is due: it is most of the bundle, and of a cold start. */
function invokerOf(FunctionName: string, { region, endpoint }: Place): (payload: string) => Promise<void> {
  const sdk = once(() => import('./lambda-client.js'));
  const tries = new TwoTries(async () => {
    const { LambdaClient } = await sdk();
    return new LambdaClient({ maxAttempts: 1, ...(region && { region }), ...(endpoint && { endpoint }) });
  });
  return async (Payload) => {
    const { InvokeCommand } = await sdk();
    const command = new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload });
    await tries.send((client, abortSignal) => client.send(command, { abortSignal }));
  };
}
