import type { Child } from 'hono/jsx';
import { grouped } from './number.js';

/** What is drawn at most of one value: a page stays readable, and small. The whole can be downloaded. */
const MAX_NODES = 1000;
const MAX_TEXT = 2000;

/** So many members are shown at once, the others when they are unfolded. */
const FEW = 12;

/** A value as a tree that can be unfolded. All of it is text, whatever it holds. */
export function JsonTree({ value }: { value: unknown }) {
  return <div class="json">{node(value, { left: MAX_NODES }, true)}</div>;
}

interface Budget {
  left: number;
}

function node(value: unknown, budget: Budget, isOpen: boolean): Child {
  budget.left -= 1;
  if (Array.isArray(value)) {
    const members = value.map((member, index) => [String(index), member] as const);
    return branch(members, '[', ']', budget, isOpen);
  }
  if (isPlainObject(value)) return branch(Object.entries(value), '{', '}', budget, isOpen);
  return leaf(value);
}

function branch(
  members: readonly (readonly [name: string, value: unknown])[],
  open: string,
  close: string,
  budget: Budget,
  isOpen: boolean,
): Child {
  if (members.length === 0) return <span class="quiet">{open + close}</span>;
  const shown = members.slice(0, Math.max(0, budget.left));
  const items = shown.map(([name, value]) => (
    <li>
      <span class="name">{name}</span> {node(value, budget, members.length <= FEW && isOpen)}
    </li>
  ));
  const hidden = members.length - shown.length;
  return (
    <details open={isOpen}>
      <summary>
        {open}
        <span class="quiet"> {grouped(members.length)} </span>
        {close}
      </summary>
      <ul>
        {items}
        {hidden > 0 && <li class="quiet">and {grouped(hidden)} more: download the whole to see them</li>}
      </ul>
    </details>
  );
}

function leaf(value: unknown): Child {
  if (typeof value === 'string') return <span class="text">{JSON.stringify(shortened(value))}</span>;
  if (value instanceof Date) return <span class="text">{value.toISOString()}</span>;
  return <span class="literal">{shortened(String(value))}</span>;
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${grouped(text.length)} characters)`;
}

/** Others, such as an ObjectId, are shown as what they say of themselves. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
