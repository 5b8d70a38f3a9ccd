/** The most that is kept free before a deadline for giving back and settling; less when the whole is short. */
const MAX_MARGIN_MS = 10_000;

/** What runs has this long to end after a stop that is not due to a deadline. */
const GRACE_MS = 5_000;

/** When a drain must stop. */
export interface StopConditions {
  /** By then everything is settled. */
  readonly deadline?: Date | undefined;
  /** How long before the deadline it stops. Default: 10 s, or a tenth of the time there is, the smaller. */
  readonly marginMs?: number | undefined;
  /** Stops it at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `work` with a signal that fires when the first condition is met, and with the grace for what runs then:
 * half the margin, so that the other half is left for writing. No timer or listener outlives the call.
 */
export async function withStopSignal<Result>(
  { deadline, marginMs, signal }: StopConditions,
  work: (stop: AbortSignal, graceMs: number) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  const remainingMs = deadline === undefined ? undefined : Math.max(0, deadline.getTime() - Date.now());
  const margin =
    marginMs ?? (remainingMs === undefined ? undefined : Math.min(MAX_MARGIN_MS, remainingMs / 10));
  const timer = remainingMs === undefined ? undefined : setTimeout(stop, remainingMs - (margin ?? 0));
  try {
    return await work(controller.signal, margin === undefined ? GRACE_MS : margin / 2);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
