import { MAX_TIMER_MS } from '../duration.js';

/** The most that is kept free before a deadline for giving back and settling; less when the whole is short. */
const MAX_MARGIN_MS = 10_000;

/** The least that is kept for writing outcomes after the cut-off, however short the margin: a busy database is no dead one. */
const MIN_WRITE_MS = 2_000;

/** When a drain must stop. */
export interface StopConditions {
  /** By then everything is settled. */
  readonly deadline?: Date | undefined;
  /** How long before the deadline it stops. Default: 10 s, or a tenth of the time there is, the smaller. */
  readonly marginMs?: number | undefined;
  /** Stops it at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface StopSignal {
  /** Fires when it is time to stop. Its reason is `AT_DEADLINE`, or anything else when somebody asked. */
  readonly stop: AbortSignal;
  /** Fires when what ran then has had its time to end. */
  readonly cutOff: AbortSignal;
  /** Fires when outcomes have had their time to be written: the database does not answer, and recovery will end the rest. */
  readonly end: AbortSignal;
  /** When `stop` will fire, in milliseconds since the epoch; infinity when that is not known. */
  readonly stopAt: number;
}

export const AT_DEADLINE = 'at the deadline';

/**
 * Calls `work` with a signal that fires when the first condition is met, and one that fires later by half the margin:
 * that is the grace for what runs, and half of the other half is left for writing, or 2 s if that is more. No timer or listener outlives the call.
 */
export async function withStopSignal<Result>(
  { deadline, marginMs, signal }: StopConditions,
  work: (stop: StopSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const cutOff = new AbortController();
  const end = new AbortController();
  const remainingMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline.getTime() - Date.now();
  const margin = marginMs ?? Math.min(MAX_MARGIN_MS, Math.max(0, remainingMs / 10));
  const workMs = remainingMs - margin;
  let grace: NodeJS.Timeout | undefined;
  let last: NodeJS.Timeout | undefined;
  const stopNow = (reason: string) => {
    stop.abort(reason);
    grace ??= setTimeout(() => cutOff.abort(), margin / 2);
    last ??= setTimeout(() => end.abort(), margin / 2 + Math.max(margin / 4, MIN_WRITE_MS));
  };
  const stopAsAsked = () => stopNow('as asked');
  const stopAtDeadline = () => stopNow(AT_DEADLINE);
  if (signal?.aborted) stopAsAsked();
  if (workMs <= 0) stopAtDeadline();
  signal?.addEventListener('abort', stopAsAsked);
  // A deadline later than a timer can be set to is none.
  const timer = workMs <= MAX_TIMER_MS ? setTimeout(stopAtDeadline, workMs) : undefined;
  try {
    const stopAt = Date.now() + workMs;
    return await work({ stop: stop.signal, cutOff: cutOff.signal, end: end.signal, stopAt });
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    clearTimeout(last);
    signal?.removeEventListener('abort', stopAsAsked);
  }
}
