import type { Role } from '../../../src/access/role.js';
import { batchesOf } from '../../../src/batches-of.js';
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

/** Jobs that are changed at the same time. */
const AT_A_TIME = 50;

export type BulkAction = keyof typeof actions;

export function isBulkAction(name: string | null): name is BulkAction {
  return name !== null && Object.hasOwn(actions, name);
}

/**
 * Performs an action on each of several jobs. Returns a notice, and the ids of the changed jobs. A failure for one job
 * does not affect the others.
 */
export async function act(
  processor: RemoteProcessor,
  action: BulkAction,
  ids: readonly string[],
  callerRole: Role,
): Promise<{ readonly notice: Notice; readonly changed: readonly string[] }> {
  if (ids.length === 0) return { notice: { kind: 'problem', text: 'Tick some jobs first.' }, changed: [] };
  const { done, work } = actions[action];
  const results: PromiseSettledResult<unknown>[] = [];
  for (const some of batchesOf(ids, AT_A_TIME))
    results.push(...(await Promise.allSettled(some.map((id) => work(processor, id, callerRole)))));
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [refusal(result.reason)] : []));
  const changed = ids.filter((_, index) => results[index]?.status === 'fulfilled');
  const count = changed.length;
  const text = `${done}: ${grouped(count)} ${count === 1 ? 'job' : 'jobs'}.`;
  if (reasons.length === 0) return { notice: { kind: 'done', text }, changed };
  const others = reasons.length === 1 ? '' : ` (and ${grouped(reasons.length - 1)} others)`;
  const told = `${count === 0 ? '' : `${text} `}Not done: ${reasons[0]}${others}`;
  return { notice: { kind: 'problem', text: told }, changed };
}

/** Returns why the action failed, if the job's state or kind explains it. @throws any other error */
export function refusal(reason: unknown): string {
  const { code, message } = toProblem(reason);
  if (!['conflict', 'not_found', 'forbidden'].includes(code)) throw reason;
  return message;
}
