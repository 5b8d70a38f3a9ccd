import { createHash } from 'node:crypto';

/** Characters of a message that tell failures apart. */
const MAX_MESSAGE = 300;

/** Parts in which like failures differ, the most special first. */
const placeholders: readonly (readonly [RegExp, string])[] = [
  [/(?<!\w)("[^"]*"|'[^']*'(?!\w)|`[^`]*`)/g, '<text>'],
  [/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '<email>'],
  [/\b([a-z][a-z+.-]*:\/\/)[^\s/?#]+/gi, '$1<host>'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, '<id>'],
  [/\b(\d{1,3}\.){3}\d{1,3}(:\d+)?\b/g, '<host>'],
  [/\b(ENOTFOUND|EAI_AGAIN) \S+/g, '$1 <host>'],
  [/\b[\w-]+(\.[\w-]+)*\.[a-z]{2,}(:\d+)\b/gi, '<host>'],
  [/\b[\w-]+(\.[\w-]+)+\.[a-z]{2,}\b/gi, '<host>'],
  [/\d+([.,:]\d+)*/g, '<number>'],
];

/**
 * Returns a message without the parts in which like failures differ: numbers, ids, hosts, mail addresses and quoted parts.
 * Cuts a long message.
 */
export function normalisedMessage(message: string): string {
  const short = message.slice(0, MAX_MESSAGE).toWellFormed().replace(/\s+/g, ' ').trim();
  return placeholders.reduce((text, [pattern, placeholder]) => text.replace(pattern, placeholder), short);
}

/**
 * Returns a digest that failures of one kind of jobs with the same cause have in common. It covers the normalised message,
 * and the function and file of the topmost stack frame that is the user's own. Line numbers are left out, since each
 * deployment moves them.
 */
export function failureDigest({
  message,
  stack,
}: {
  readonly message: string;
  readonly stack?: string;
}): string {
  const alike = `${normalisedMessage(message)}\n${ownFrame(stack) ?? ''}`;
  return createHash('sha256').update(alike).digest('hex').slice(0, 12);
}

/** Returns the key of the group of a failure: the name of the job's kind, a colon, and the digest. */
export function failureKey(
  jobName: string,
  failure: { readonly message: string; readonly stack?: string },
): string {
  return `${jobName}:${failureDigest(failure)}`;
}

/** Returns the function and the end of the file's path, without the line. Undefined if no frame is the user's own. */
export function ownFrame(stack = ''): string | undefined {
  const frames = stack.split('\n').filter((line) => /^\s*at /.test(line));
  const own = frames.find((line) => !/node_modules|\(?node:|<anonymous>/.test(line));
  const [, called = '', path = ''] = /^\s*at (?:(.*) \()?(.*?)(?::\d+)*\)?$/.exec(own ?? '') ?? [];
  if (path === '') return undefined;
  const file = path.split(/[\\/]/).slice(-2).join('/');
  return called === '' ? file : `${called} (${file})`;
}

/** The message of attempts whose workers lost their leases, in groups of failures. */
export const LOST_MESSAGE = 'worker lost its lease';
