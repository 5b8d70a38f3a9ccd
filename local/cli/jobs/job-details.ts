import { type Field, fields, pretty } from '../output/fields.js';
import { between, fromNow } from '../output/moment.js';
import { type Paint, statusStyle } from '../output/paint.js';
import type { ShownJob } from './job-shape.js';
import { progressText } from './progress-text.js';
import { waitLine } from './wait-line.js';

/** Returns everything about one job, as text for a person. */
export function jobDetails(job: ShownJob, paint: Paint): string {
  const { waits } = job.steps ?? { waits: [] };
  return fields(
    [
      ['id', job.id],
      ['job', job.jobName],
      [
        'status',
        job.cancelRequested === null ? job.status : `${job.status}, cancelled`,
        statusStyle(job.status),
      ],
      ['queue', `${job.queue}, priority ${job.priority}`],
      ['attempts', `${job.retryCounter} of ${job.maxRetries}`],
      ['created', when(job.created)],
      ['due', job.status === 'queued' && waits.length === 0 && job.waitsFor === null ? when(job.runAt) : ''],
      ['now', waits.map(waitLine).join('\n')],
      ['waits for', [...awaitedTexts(job), limitText(job)].filter((text) => text !== '').join('\n')],
      ['parent', job.parents?.at(-1) ?? ''],
      ['group', job.group === null || job.parents !== null ? '' : `${job.group.kind} ${job.group.id}`],
      ['history', job.attempts.length > 1 ? job.attempts.map(attemptText).join('\n') : ''],
      ['started', when(job.started)],
      ['completed', when(job.completed)],
      ['took', between(job.started, job.completed)],
      ['unique key', job.uniqueKey ?? ''],
      ['found by', job.keys.join(', ')],
      ['occurrence', job.occurrence === null ? '' : `${job.occurrence.item}, ${job.occurrence.at}`],
      ['progress', progressText(job.progress)],
      ['input', job.input === null ? '' : pretty(job.input)],
      ['output', job.status === 'completed' ? pretty(job.output) : ''],
      ...job.errors.map(
        ({ at, attempt, causes, ...error }): Field => [
          `error ${attempt}`,
          [at, errorText(error), ...causes.map((cause) => `${cause.path}: ${errorText(cause)}`)].join('\n'),
          'red',
        ],
      ),
    ],
    paint,
  );
}

/** Returns how an attempt went: `2 failed, waited 10s, ran 1.2s`. */
function attemptText({ attempt, outcome, queued, claimed, ended }: ShownJob['attempts'][number]): string {
  const ran = ended === null ? '' : `, ran ${between(claimed, ended)}`;
  return `${attempt} ${outcome ?? 'runs'}, waited ${between(queued, claimed)}${ran}`;
}

/** Returns what must end before a job can run: `job nightly.extract`, or `batch import-7`. */
export function awaitedTexts({ waitsFor }: ShownJob): string[] {
  return (waitsFor ?? []).map(({ kind, id }) => `${kind} ${id}`);
}

function limitText({ blockedBy, postponedBy }: ShownJob): string {
  if (blockedBy !== null) return `a place in the limit ${blockedBy}`;
  return postponedBy === null ? '' : `its moment in the limit ${postponedBy}`;
}

/** Returns the stack, which normally contains the message. If it does not, puts the message before it. */
function errorText({ message, stack }: { readonly message: string; readonly stack: string | null }): string {
  return stack?.includes(message) ? stack : [message, stack ?? ''].join('\n').trimEnd();
}

function when(moment: string | null): string {
  return moment === null ? '' : `${moment} (${fromNow(moment)})`;
}
