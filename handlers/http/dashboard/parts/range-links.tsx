import type { Range } from '../../../../src/index.js';
import { ranges } from '../../../../src/statistics/ranges.js';

const texts: Readonly<Record<Range, string>> = {
  '1h': 'Last hour',
  '6h': 'Last 6 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
};

/** Returns a range in words, such as `Last hour`. */
export function rangeText(range: Range): string {
  return texts[range];
}

/** Returns the range that a URL asks for. Anything else is the last hour. */
export function readRange(text: string | undefined): Range {
  return ranges.find((range) => range === text) ?? '1h';
}

/** Links to the same page for each range of time. @param path may have a query */
export function RangeLinks({ path, chosen }: { path: string; chosen: Range }) {
  return (
    <nav class="tabs" id="ranges" data-live aria-label="Range of time">
      {ranges.map((range) => (
        <a
          href={`${path}${path.includes('?') ? '&' : '?'}range=${range}`}
          aria-current={range === chosen ? 'page' : undefined}
        >
          {texts[range]}
        </a>
      ))}
    </nav>
  );
}
