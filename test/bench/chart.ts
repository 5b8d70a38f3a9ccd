import { contenderNames } from './contenders/contender.js';
import { contenders } from './contenders/index.js';
import type { Results } from './results.js';

/** A group of bars. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

interface Bar {
  readonly label: string;
  readonly value: number;
  /** The value as text at the end of the bar. */
  readonly text: string;
  readonly isOurs: boolean;
}

/** Returns the bars of a figure, one for each contender that has it. */
export function panel(results: Results, title: string, under: string, name: string, decimals: number): Panel {
  const bars = contenderNames.flatMap((contender) => {
    const value = results.value(under, name, contender);
    if (value === undefined) return [];
    const text = value.toLocaleString('en', {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    return [{ label: contenders[contender].title, value, text, isOurs: contender === 'remote-processor' }];
  });
  return { title, bars };
}

const WIDTH = 760;
const LABEL_WIDTH = 150;
const TEXT_WIDTH = 90;
const PADDING = 24;
const TITLE_HEIGHT = 34;
const BAR_HEIGHT = 22;
const BAR_STEP = 30;
const PANEL_GAP = 18;

/**
 * Draws panels of horizontal bars, one above the other, as SVG. Its own background makes it legible on any page. It
 * follows the reader's light or dark theme if the browser reports one.
 */
export function drawChart(panels: readonly Panel[]): string {
  let top = PADDING;
  const parts = panels.map((each) => {
    const drawn = drawPanel(each, top);
    top += panelHeight(each) + PANEL_GAP;
    return drawn;
  });
  const height = top - PANEL_GAP + PADDING;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(panels.map(({ title }) => title).join('; '))}">
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.background { fill: #ffffff; stroke: #d1d9e0; }
.ours { fill: #0969da; }
.other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.background { fill: #0d1117; stroke: #3d444d; }
.ours { fill: #4493f8; }
.other { fill: #6e7681; }
}
</style>
<rect class="background" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>
${parts.join('\n')}
</svg>
`;
}

function panelHeight({ bars }: Panel): number {
  return TITLE_HEIGHT + bars.length * BAR_STEP;
}

function drawPanel({ title, bars }: Panel, top: number): string {
  const longest = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - 2 * PADDING - LABEL_WIDTH - TEXT_WIDTH;
  const left = PADDING + LABEL_WIDTH;
  const drawn = bars.map(({ label, value, text, isOurs }, index) => {
    const y = top + TITLE_HEIGHT + index * BAR_STEP;
    const width = Math.max(1, Math.round((value / longest) * room));
    const middle = y + BAR_HEIGHT / 2 + 5;
    return [
      `<text x="${left - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
      `<text x="${left + width + 8}" y="${middle}">${escaped(text)}</text>`,
    ].join('\n');
  });
  return [`<text class="title" x="${PADDING}" y="${top + 14}">${escaped(title)}</text>`, ...drawn].join('\n');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
