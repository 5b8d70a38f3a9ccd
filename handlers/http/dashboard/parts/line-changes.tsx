/**
 * Maximum number of lines of a compared text. A comparison takes as many steps as the product of both numbers of lines.
 */
const MAX_LINES = 400;

interface LineChangesProps {
  readonly before: string;
  readonly after: string;
  /** Names of the two kinds of lines, for a reader who does not see the signs. */
  readonly names: readonly [before: string, after: string];
}

/**
 * Shows the lines that differ between two texts. Lines of the first text have a minus, and lines of the second have a
 * plus.
 */
export function LineChanges({ before, after, names: [former, latter] }: LineChangesProps) {
  const lines = linesOf(before.split('\n'), after.split('\n'));
  return (
    <ul class="code lines">
      {lines.map(({ sign, text }) => (
        <li class={sign === '+' ? 'added' : 'removed'}>
          <span aria-hidden="true">{sign} </span>
          <span class="unseen">{sign === '+' ? latter : former}: </span>
          {text}
        </li>
      ))}
    </ul>
  );
}

interface Line {
  readonly sign: '+' | '-';
  readonly text: string;
}

/** Returns the lines of both texts outside a longest common sequence, in their order. */
export function linesOf(before: readonly string[], after: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ sign: '-', text });
  const added = (text: string): Line => ({ sign: '+', text });
  if (before.length > MAX_LINES || after.length > MAX_LINES)
    return [...before.map(removed), ...after.map(added)];
  const lengths = commonLengths(before, after);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [one, other] = [before[i], after[j]];
    if (one !== undefined && one === other) [i, j] = [i + 1, j + 1];
    else if (one !== undefined && (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) {
      lines.push(removed(one));
      i += 1;
    } else {
      lines.push(added(other ?? ''));
      j += 1;
    }
  }
  return lines;
}

/** Returns how many lines the rests of two texts have in common, for each pair of positions at which the rests begin. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => Array<number>(after.length + 1).fill(0));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const [row = [], next = []] = [lengths[i], lengths[i + 1]];
    for (let j = after.length - 1; j >= 0; j -= 1)
      row[j] = before[i] === after[j] ? 1 + (next[j + 1] ?? 0) : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
  }
  return lengths;
}
