import { between, fromNow } from '../output/moment.js';
import { statusStyle } from '../output/paint.js';
import type { Column } from '../output/table.js';
import { awaitedTexts } from './job-details.js';
import type { ShownJob } from './job-shape.js';
import { progressText } from './progress-text.js';
import { waitLine } from './wait-line.js';

const BAR_WIDTH = 10;

/** The smallest width of a remark, which is a progress bar or the beginning of an error. */
const REMARK_WIDTH = 12;

/** The columns of a list of jobs. */
export const jobColumns: readonly Column<ShownJob>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'JOB', value: ({ jobName }) => jobName, mayShrink: true },
  { title: 'QUEUE', value: ({ queue }) => queue, mayShrink: true, leaveOut: 1 },
  { title: 'STATUS', value: ({ status }) => status, style: ({ status }) => statusStyle(status) },
  {
    title: 'TRIES',
    value: ({ retryCounter, maxRetries }) => `${retryCounter}/${maxRetries}`,
    align: 'right',
    leaveOut: 4,
  },
  { title: 'CREATED', value: ({ created }) => fromNow(created), align: 'right', leaveOut: 2 },
  {
    title: 'TOOK',
    value: ({ started, completed }) => between(started, completed),
    align: 'right',
    leaveOut: 3,
  },
  { title: '', value: remark, mayShrink: REMARK_WIDTH, style: () => 'dim' },
];

/** Returns a remark on a job. Its status decides between its progress, its last error, its due time and its waits. */
function remark(job: ShownJob): string {
  const { status, runAt, errors, progress, steps, waitsFor } = job;
  const lastError = errors.at(-1)?.message.split('\n')[0] ?? '';
  if (status === 'processing') return progressText(progress, BAR_WIDTH);
  if (status === 'error') return lastError;
  if (status !== 'queued') return '';
  if (steps && steps.waits.length > 0) return steps.waits.map(waitLine).join('; ');
  if (waitsFor) return `waits for ${awaitedTexts(job).join(', ')}`;
  const due = Date.parse(runAt) > Date.now() ? `due ${fromNow(runAt)}` : '';
  return [due, lastError].filter((part) => part !== '').join('; ');
}
