import type { Role } from '../../../src/access/role.js';
import type { RemoteProcessor } from '../../../src/index.js';
import { toProblem } from '../failure.js';
import type { Notice } from './notice.js';
import { grouped } from './parts/number.js';

const actions = {
  cancel: { done: 'Cancelled, or asked to stop', work: (processor, id) => processor.cancelJob(id) },
  retry: {
    done: 'Queued again',
    work: (processor, id, callerRole) => processor.retryJob(id, { callerRole }),
  },
  remove: { done: 'Removed', work: (processor, id) => processor.removeJob(id) },
} as const satisfies Record<
  string,
  { done: string; work: (processor: RemoteProcessor, id: string, callerRole: Role) => Promise<unknown> }
>;

export type BulkAction = keyof typeof actions;

export function isBulkAction(name: string | null): name is BulkAction {
  return name !== null && Object.hasOwn(actions, name);
}

/** Performs an action on each of several jobs. If it fails for one job, the others are not affected. */
export async function act(
  processor: RemoteProcessor,
  action: BulkAction,
  ids: readonly string[],
  callerRole: Role,
): Promise<Notice> {
  if (ids.length === 0) return { kind: 'problem', text: 'Tick some jobs first.' };
  const { done, work } = actions[action];
  const results = await Promise.allSettled(ids.map((id) => work(processor, id, callerRole)));
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [refusal(result.reason)] : []));
  const count = ids.length - reasons.length;
  const text = `${done}: ${grouped(count)} ${count === 1 ? 'job' : 'jobs'}.`;
  if (reasons.length === 0) return { kind: 'done', text };
  const others = reasons.length === 1 ? '' : ` (and ${grouped(reasons.length - 1)} others)`;
  return { kind: 'problem', text: `${count === 0 ? '' : `${text} `}Not done: ${reasons[0]}${others}` };
}

/** Returns why the action failed, if the job's state or kind explains it. @throws any other error */
export function refusal(reason: unknown): string {
  const { code, message } = toProblem(reason);
  if (!['conflict', 'not_found', 'forbidden'].includes(code)) throw reason;
  return message;
}
