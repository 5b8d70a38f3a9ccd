import type { Child } from 'hono/jsx';
import { grouped } from './number.js';

/** Limits of the tree, so that a page stays readable and small. The complete value can be downloaded. */
const MAX_NODES = 1000;
const MAX_TEXT = 2000;
const MAX_NAME = 200;
/** Maximum number of characters of all texts and names together. */
const MAX_TEXT_IN_ALL = 200_000;

/** Lists and objects with more members than this are folded. */
const FEW = 12;

/** Maximum number of members unfolded at first, in all lists and objects together. */
const MAX_UNFOLDED = 60;

/** Shows a value as a tree that can be unfolded. Nothing in it is interpreted as HTML. */
export function JsonTree({ value }: { value: unknown }) {
  return (
    <div class="json">
      {node(undefined, value, { left: MAX_NODES, text: MAX_TEXT_IN_ALL, unfolded: MAX_UNFOLDED }, true)}
    </div>
  );
}

type Member = readonly [name: string, value: unknown];

interface Budget {
  left: number;
  text: number;
  unfolded: number;
}

function node(name: string | undefined, value: unknown, budget: Budget, isOpen: boolean): Child {
  budget.left -= 1;
  const label = name !== undefined && <span class="name">{shortened(name, MAX_NAME, budget)}</span>;
  const members = membersOf(value);
  if (members === undefined) return [label, ' ', leaf(value, budget)];
  const isUnfolded = isOpen && members.length <= FEW && members.length <= budget.unfolded;
  if (isUnfolded) budget.unfolded -= members.length;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  if (members.length === 0) return [label, ' ', <span class="quiet">{`${open}${close}`}</span>];
  return (
    <details open={isUnfolded}>
      <summary>
        {label} {open}
        <span class="quiet"> {grouped(members.length)} </span>
        {close}
      </summary>
      {list(members, budget, isUnfolded)}
    </details>
  );
}

function list(members: readonly Member[], budget: Budget, isOpen: boolean): Child {
  const shown = members.slice(0, Math.max(0, budget.left));
  const hidden = members.length - shown.length;
  return (
    <ul>
      {shown.map(([name, value]) => (
        <li>{node(name, value, budget, isOpen)}</li>
      ))}
      {hidden > 0 && <li class="quiet">and {grouped(hidden)} more: download the whole to see them</li>}
    </ul>
  );
}

/** Returns the members of a value, or undefined if it has none. */
function membersOf(value: unknown): readonly Member[] | undefined {
  if (Array.isArray(value)) return value.map((member, index) => [String(index), member]);
  return isPlainObject(value) ? Object.entries(value) : undefined;
}

function leaf(value: unknown, budget: Budget): Child {
  if (typeof value === 'string')
    return <span class="text">{JSON.stringify(shortened(value, MAX_TEXT, budget))}</span>;
  if (value instanceof Date) return <span class="text">{value.toISOString()}</span>;
  return <span class="literal">{shortened(String(value), MAX_TEXT, budget)}</span>;
}

/** Returns a text, or its beginning if the whole does not fit. */
function shortened(text: string, limit: number, budget: Budget): string {
  const room = Math.min(limit, Math.max(0, budget.text));
  budget.text -= Math.min(text.length, room);
  return text.length <= room ? text : `${text.slice(0, room)}… (${grouped(text.length)} characters)`;
}

/** Returns whether a value is a plain object. Others, such as an ObjectId, are shown as text. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
