import type { KindPoint } from '../../../../src/index.js';
import { grouped } from './number.js';

/** Size of the drawing, and the share of a step that its bar takes. */
const HEIGHT = 20;
const WIDTH = 96;
const BAR_SHARE = 0.75;

/** Shows attempts by step as small bars, those that failed on top. Told in words too. */
export function KindSparkline({ points }: { points: readonly KindPoint[] }) {
  const highest = Math.max(1, ...points.map(({ completed, failed }) => completed + failed));
  const step = WIDTH / points.length;
  const heightOf = (count: number) => (count === 0 ? 0 : Math.max(1, round((count / highest) * HEIGHT)));
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summaryOf(points)}>
      {points.map(({ completed, failed }, index) => {
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

function summaryOf(points: readonly KindPoint[]): string {
  const completed = points.reduce((sum, point) => sum + point.completed, 0);
  const failed = points.reduce((sum, point) => sum + point.failed, 0);
  return `${grouped(completed)} completed, ${grouped(failed)} failed`;
}
