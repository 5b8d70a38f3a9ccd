import { MAX_TIMER_MS } from '../duration.js';

/** The longest time kept free before a deadline for giving back and settling. Short invocations keep less. */
const MAX_MARGIN_MS = 10_000;

/**
 * The shortest time kept for writing outcomes after the cut-off, even with a short margin. A busy database is not a dead
 * one.
 */
const MIN_WRITE_MS = 2_000;

/** Conditions under which a drain must stop. */
export interface StopConditions {
  /** Deadline by which everything is settled. */
  readonly deadline?: Date | undefined;
  /** How long before the deadline the drain stops. Default: 10 s or a tenth of the available time, whichever is smaller. */
  readonly marginMs?: number | undefined;
  /** Stops the drain at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface StopSignal {
  /**
   * Fires when it is time to stop. The reason is `AT_DEADLINE` at the deadline, and anything else when the stop was
   * requested.
   */
  readonly stop: AbortSignal;
  /** Fires when running jobs have had their time to end. */
  readonly cutOff: AbortSignal;
  /**
   * Fires when outcomes have had their time to be written. The database does not answer then, and recovery will end the
   * rest.
   */
  readonly end: AbortSignal;
  /** When `stop` will fire, in milliseconds since the epoch. Infinity if unknown. */
  readonly stopAt: number;
}

export const AT_DEADLINE = 'at the deadline';

/**
 * Calls `work` with signals that fire when the first condition is met. `cutOff` follows half a margin later, which is the
 * grace period of running jobs. `end` follows after another quarter of the margin, or 2 s if that is more. No timer or
 * listener outlives the call.
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
  // A deadline beyond the longest timer never fires.
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
