/** Size of the drawing, and the share of a step that a bar takes. */
const HEIGHT = 20;
const WIDTH = 96;
const BAR_SHARE = 0.75;

interface SmallBarsProps {
  /** Counts by step of time. Failed ones are drawn on top. */
  readonly bars: readonly { readonly completed: number; readonly failed: number }[];
  /** Text that says the same in words. */
  readonly label: string;
}

/** A chart as small as a word. */
export function SmallBars({ bars, label }: SmallBarsProps) {
  const highest = Math.max(1, ...bars.map(({ completed, failed }) => completed + failed));
  const step = WIDTH / bars.length;
  // One among many is to be seen too.
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(1, round((count / highest) * HEIGHT)));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {bars.map(({ completed, failed }, index) => {
        const place = { x: round(index * step), width: round(step * BAR_SHARE) };
        const [done, wrong] = [heightOf(completed), heightOf(failed)];
        return (
          <>
            {done > 0 && <rect class="completed" {...place} y={HEIGHT - done} height={done} />}
            {wrong > 0 && <rect {...place} y={Math.max(0, HEIGHT - done - wrong)} height={wrong} />}
          </>
        );
      })}
    </svg>
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
