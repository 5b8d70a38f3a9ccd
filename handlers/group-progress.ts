/** How far a batch or a workflow has come, as the API and the database tell it. */
interface Progress {
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly open: number;
}

/** How fast the jobs of a group end, on average since it was added. */
export interface Pace {
  readonly perSecond: number;
  readonly leftMs: number;
}

const format = new Intl.NumberFormat('en');

/** Says how many jobs have completed and failed: `7,120 of 10,000, 3 failed`. */
export function groupProgressText({ size, completed, failed }: Progress): string {
  return `${format.format(completed)} of ${format.format(size)}${failed > 0 ? `, ${format.format(failed)} failed` : ''}`;
}

/**
 * Returns how fast jobs end, and how long the open ones will take. Undefined if no job has ended yet, or none is open.
 *
 * @param forMs time since the group was added
 */
export function paceOf({ completed, failed, open }: Progress, forMs: number): Pace | undefined {
  const ended = completed + failed;
  if (ended === 0 || open === 0 || forMs <= 0) return undefined;
  return { perSecond: (ended / forMs) * 1000, leftMs: (open / ended) * forMs };
}

/** Says how fast jobs end, such as `120/s`. Less than one a second is told per minute, such as `12/min`. */
export function rateText({ perSecond }: Pace): string {
  return perSecond >= 1
    ? `${format.format(Math.round(perSecond))}/s`
    : `${format.format(Math.max(1, Math.round(perSecond * 60)))}/min`;
}
