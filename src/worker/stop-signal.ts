/** The most that is kept free before a deadline for giving back and settling; less when the whole is short. */
const MAX_MARGIN_MS = 10_000;

/** The longest that Node's timers wait, 24.8 days: a later deadline is none. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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
  readonly stop: AbortSignal;
  /** When it fires, in milliseconds since the epoch; infinity when that is not known. */
  readonly stopAt: number;
  /** How long what runs then has to end. */
  readonly graceMs: number;
}

/**
 * Calls `work` with a signal that fires when the first condition is met, and with the grace for what runs then:
 * half the margin, so that the other half is left for writing. No timer or listener outlives the call.
 */
export async function withStopSignal<Result>(
  { deadline, marginMs, signal }: StopConditions,
  work: (stop: StopSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const remainingMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline.getTime() - Date.now();
  const margin = marginMs ?? Math.min(MAX_MARGIN_MS, Math.max(0, remainingMs / 10));
  const workMs = remainingMs - margin;
  if (signal?.aborted || workMs <= 0) stop();
  signal?.addEventListener('abort', stop);
  const timer = workMs <= MAX_TIMER_MS ? setTimeout(stop, workMs) : undefined;
  try {
    return await work({ stop: controller.signal, stopAt: Date.now() + workMs, graceMs: margin / 2 });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
