import * as z from 'zod';
import type { Logger } from '../src/index.js';
import { once } from './once.js';
import { type WorkerLimits, workersWanted } from './scale-out.js';

/**
 * Asks for workers now, so that jobs need not wait for the next minute. It carries no data, may be lost, and never
 * fails.
 */
export type Kick = (options?: {
  /** How many kicks in a row led to this one, each sent by the worker that the last one started. Default 0. */
  readonly depth?: number;
  /** How many workers. Default: as many as `jobs` ask for, at least one. */
  readonly workers?: number;
  /** How many jobs were added that can run at once. */
  readonly jobs?: number;
}) => Promise<void>;

/** Workers that start each other this often are getting nowhere, or have enough to do until the next minute. */
export const MAX_KICK_DEPTH = 50;

/** Short, because the caller waits: a container that has answered is frozen, and the kick with it. */
const TIMEOUT_MS = 1_000;

const kickedSchema = z.object({ kick: z.object({ depth: z.int().min(0).max(MAX_KICK_DEPTH) }) });

/** The depth of the kick that this event is; undefined for any other event. */
export function kickDepth(event: unknown): number | undefined {
  const result = kickedSchema.safeParse(event);
  return result.success ? result.data.kick.depth : undefined;
}

export interface KickOptions {
  /** Name or ARN of the worker. Without it a kick does nothing. */
  readonly functionName: string | undefined;
  /** Another Lambda service than AWS's own. */
  readonly endpoint: string | undefined;
  /** Of the workers of this deployment. Without them jobs, however many, ask for one. */
  readonly limits?: WorkerLimits;
  readonly log: Logger;
}

/** Makes the kick of a deployment. While one is under way, others that ask for no more workers share it. */
export function createKick({ functionName, endpoint, limits, log }: KickOptions): Kick {
  if (functionName === undefined) return async () => {};
  const connect = once(() => connectTo(functionName, endpoint));
  let underWay: { readonly workers: number; readonly kicked: Promise<unknown> } | undefined;

  async function kick(depth: number): Promise<void> {
    if (depth > MAX_KICK_DEPTH) return log.info('No kick: the chain is too long', { depth });
    try {
      const invoke = await connect();
      await invoke(JSON.stringify({ kick: { depth } }));
    } catch (error) {
      log.warn('The kick failed: jobs wait for the next minute', { depth, error: String(error) });
    }
  }

  return async ({ depth = 0, jobs = 0, workers = workersFor(jobs, limits) } = {}) => {
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
}

/** Who lives already is not asked: a worker that finds too many ends at once. */
function workersFor(jobs: number, limits: WorkerLimits | undefined): number {
  return limits === undefined ? 1 : Math.max(1, workersWanted({ ready: jobs, waitedMs: 0, live: 0 }, limits));
}

/** Loads the SDK only where a kick is due: it is most of the bundle, and of a cold start. */
async function connectTo(FunctionName: string, endpoint: string | undefined) {
  const { InvokeCommand, LambdaClient } = await import('./lambda-client.js');
  const client = new LambdaClient({ maxAttempts: 1, ...(endpoint !== undefined && { endpoint }) });
  return async (Payload: string): Promise<void> => {
    const command = new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload });
    await withTimeout((abortSignal) => client.send(command, { abortSignal }));
  };
}

/** One of `AbortSignal.timeout` would outlive the call, and fire in a later invocation. */
async function withTimeout(send: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer in ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  try {
    await Promise.race([send(controller.signal), rejection(controller.signal)]);
  } finally {
    clearTimeout(timer);
  }
}

/** The signal stops a request; this also ends a wait for credentials. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
