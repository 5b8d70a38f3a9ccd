import { setTimeout as sleep } from 'node:timers/promises';
import { path } from '../api/api.js';
import type { CommandContext } from '../context.js';
import { exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';
import { fields } from '../output/fields.js';
import { read } from '../output/output.js';
import { parseWhen } from '../parse-when.js';
import { operationFields, operationProgress, operationShape } from './operation-shape.js';

/** Pauses between two looks at an operation. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** The time without progress after which a person is told that schedulers go on with the operation. */
const QUIET_MS = 10_000;

type Context = Pick<CommandContext, 'api' | 'output' | 'stopRequested'>;

/**
 * Starts, stops or undoes an operation. Prints its progress until it is over, and then its result. Ctrl-C ends the
 * command, but not the operation.
 *
 * @param url of the API, to which the body is posted
 * @throws CommandFailure
 */
export async function runOperation(
  { api, output, stopRequested }: Context,
  url: string,
  body?: object,
): Promise<void> {
  const stop = stopRequested();
  let answer: unknown = await api.post(url, body && { body });
  let told = '';
  let quietSince = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const operation = read(answer, operationShape);
    if (operation.state !== 'running' && operation.state !== 'undoing') break;
    const progress = operationProgress(operation);
    if (progress !== told) {
      output.note(progress);
      quietSince = performance.now();
    } else if (performance.now() - quietSince > QUIET_MS) {
      output.note('Nothing has happened for 10s. Schedulers go on with it: does one run?');
      quietSince = Number.POSITIVE_INFINITY;
    }
    told = progress;
    await sleep(pauseMs, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) {
      output.note(`It goes on: remote-processor operations show ${operation.id}`);
      break;
    }
    answer = await api.get(path`/v1/operations/${operation.id}`);
  }
  output.result(answer, operationShape, (operation) => fields(operationFields(operation), output.paint));
}

/** Options that select jobs. */
export interface JobFilter {
  readonly status?: string | undefined;
  readonly name?: string | undefined;
  readonly queue?: string | undefined;
  readonly key?: string | undefined;
  readonly error?: string | undefined;
  readonly failure?: string | undefined;
  /** The jobs ended between these two moments, in ISO 8601. */
  readonly endedAfter?: string | undefined;
  readonly endedBefore?: string | undefined;
  /** The time over which retried jobs are spread. */
  readonly spread?: string | undefined;
}

export const nameOption = ['--name <name>', 'all jobs of this name'] as const;
export const queueOption = ['--queue <name>', 'all jobs of this queue'] as const;
export const keyOption = [
  '--key <path=value>',
  'all jobs with this value in their input, such as orderId=42',
] as const;
export const errorOption = ['--error <text>', 'all jobs with this text in an error'] as const;
export const failureOption = [
  '--failure <key>',
  'all jobs that failed alike, by the key that failures shows',
] as const;

export const endedAfterOption = [
  '--ended-after <when>',
  'only those that ended since this moment, or within this time, such as 1h',
  parseWhenOption,
] as const;
export const endedBeforeOption = [
  '--ended-before <when>',
  'only those that ended before this moment, or longer ago, such as 1h',
  parseWhenOption,
] as const;

/** Commander hands over a former value as second argument. */
function parseWhenOption(text: string): string {
  return parseWhen(text);
}

/** Returns the part of an operation that chooses its jobs. */
export function chosenBy(options: JobFilter) {
  const { endedAfter, endedBefore } = options;
  return { filter: filterOf(options), endedAfter, endedBefore };
}

/** Returns the filter of an operation, as these options give it. */
function filterOf({ status, name: jobName, queue, key, error: errorText, failure: failureKey }: JobFilter) {
  return { status, jobName, queue, key, errorText, failureKey };
}

/**
 * Returns true if options choose the jobs, and false if ids do.
 *
 * @throws CommandFailure if there are both options and ids, or neither
 */
export function isByFilter(ids: readonly string[], filter: JobFilter): boolean {
  const hasFilter = Object.values(filterOf(filter)).some((value) => value !== undefined);
  const isById = ids.length > 0;
  const { spread, endedAfter, endedBefore } = filter;
  const isNarrowed = (spread ?? endedAfter ?? endedBefore) !== undefined;
  if (hasFilter === isById || (isById && isNarrowed))
    throw new CommandFailure(
      exitCode.usage,
      'Give the ids of jobs, or options for all jobs that match, such as --status and --name',
      { code: 'wrong_usage' },
    );
  return hasFilter;
}
