import { cutText } from './cut-text.js';

/** One thing that is wrong with a value: where, and what was expected. */
export interface Issue {
  /** Dotted path inside the value, for example `input.url`; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** An error that lists more helps nobody; and what is wrong may be as much as somebody likes to send. */
export const MAX_ISSUES = 100;

const MAX_PATH_BYTES = 300;
const MAX_MESSAGE_BYTES = 600;
/** Of what is wrong in one text. */
export const MAX_DETAIL_BYTES = 2048;

/** The first 100 issues, each with a path and a message that somebody can read. */
export function firstIssues(issues: readonly Issue[]): Issue[] {
  return issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: cutText(path, MAX_PATH_BYTES),
    message: cutText(message, MAX_MESSAGE_BYTES),
  }));
}

/** All that is wrong as one text of at most 2 KB, and how much of it there was no room for. */
export function describeIssues(issues: readonly Issue[]): string {
  const parts: string[] = [];
  let bytes = 0;
  for (const issue of firstIssues(issues)) {
    const part = issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`;
    bytes += Buffer.byteLength(part) + SEPARATOR.length;
    if (bytes > MAX_DETAIL_BYTES - ROOM_FOR_THE_REST) break;
    parts.push(part);
  }
  const left = issues.length - parts.length;
  return left === 0 ? parts.join(SEPARATOR) : [...parts, `and ${left} more`].join(SEPARATOR);
}

const SEPARATOR = '; ';
const ROOM_FOR_THE_REST = 'and 1000000 more'.length;
