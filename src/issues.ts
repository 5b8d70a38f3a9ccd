import { cutText } from './cut-text.js';

/** A problem of a value: where it is, and what was expected. */
export interface Issue {
  /** Dotted path inside the value, for example `input.url`. Empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** Maximum number of issues in an error. A longer list helps nobody, and a caller may send any number of mistakes. */
export const MAX_ISSUES = 100;

const MAX_PATH_BYTES = 300;
const MAX_MESSAGE_BYTES = 600;
/** Limit of all details in one text. */
export const MAX_DETAIL_BYTES = 2048;

/** Returns the first 100 issues, with paths and messages of readable length. */
export function firstIssues(issues: readonly Issue[]): Issue[] {
  return issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: cutText(path, MAX_PATH_BYTES),
    message: cutText(message, MAX_MESSAGE_BYTES),
  }));
}

/** Returns the issues as one text of at most 2 KB, and the number of those left out. */
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
