import { isKind } from '../brand.js';
import { ConflictError, StepFailedError } from '../errors.js';
import { MemberResults } from '../job/children.js';
import { childrenId, failureIn, groupOf } from '../job/group.js';
import type { JobContract } from '../job/job-contract.js';
import type { StepWrite } from '../job/step-log.js';
import type { KnownStep } from './step-journal.js';
import type { ResolvedFanOutOptions } from './step-options.js';
import { resultOf, type StepPlace, tellEnded } from './tried-step.js';

/** Children that a step adds. */
export interface Children {
  readonly name: string;
  readonly kind: string | JobContract;
  readonly inputs: readonly unknown[];
  readonly options: ResolvedFanOutOptions;
  /** Whether the children's work is undone if the job fails for good. */
  readonly isUndoable?: boolean;
}

/** Stored facts about children that were added. */
interface StoredChildren {
  readonly id: string;
  readonly count: number;
  readonly failed: number;
}

/**
 * Adds children, waits until they have ended, and returns their results. The job is suspended meanwhile. The children's ids
 * derive from the job and the step, so adding them again after a crash changes nothing. The children themselves show whether
 * they have ended.
 *
 * @throws StepFailedError if some failed, unless failures are collected
 */
export async function fanOut(
  children: Children,
  run: number,
  known: KnownStep | undefined,
  place: StepPlace,
): Promise<MemberResults> {
  const { name, options, isUndoable = false } = children;
  const stored = known ? storedChildren(known) : undefined;
  if (known && stored && known.state !== 'waiting' && known.state !== 'retrying') {
    resultOf(name, known);
    return resultsOf(stored, place);
  }
  const { host, journal, active } = place;
  const id = stored?.id ?? childrenId(host.attempt.job.id, run, name);
  const group = groupOf('children', id);
  await active.begin(0);
  const hasBegun = known?.state === 'waiting';
  const count = stored?.count ?? children.inputs.length;
  // A person's retry begins anew: an earlier wait may be over, and an earlier failure is past.
  const wait = hasBegun ? journal.waitOf([name, ...options.was]) : undefined;
  const failure = hasBegun ? known.failure : undefined;
  const entry = { name, kind: 'fanOut', agoMs: wait ? journal.since(wait.began) : 0 } as const;
  const result = { id, count, failed: 0 };
  const waiting = { ...entry, state: 'waiting', result } as const;
  if (stored === undefined) await add(children, id, place);
  else if (known?.state === 'retrying' && !(await host.children.retry(host.attempt.job, group)))
    await waitToRetry();
  if (count > 0) await waitFor();
  return end();

  /**
   * Waits until the children that were asked to stop have stopped. Never resolves, because the job goes on in another attempt.
   */
  function waitToRetry(): Promise<never> {
    const on = { name, kind: 'children', on: group, agoMs: 0 } as const;
    return active.wait(on, { ...entry, state: 'retrying', result });
  }

  /** Returns once all children have ended. Never resolves while the job has to wait. */
  async function waitFor(): Promise<void> {
    const state = hasBegun ? await host.children.look(group) : { isOpen: true, hasFailed: false };
    if (!state.isOpen) return;
    const isLate = wait?.until !== undefined && journal.isOver(wait.until);
    const mustStop = isLate || (options.onError === 'cancel' && state.hasFailed);
    if (mustStop) await host.children.cancel(host.attempt.job, id);
    const late = isLate && { failure: { message: 'its time was over before all children had ended' } };
    const until = mustStop ? undefined : (wait?.until ?? options.timeout);
    const on = options.onError === 'cancel' && !mustStop ? failureIn(group) : group;
    return active.wait(
      { name, kind: 'children', on, agoMs: entry.agoMs, ...(until !== undefined && { until }) },
      { ...waiting, ...(failure && { failure }), ...late },
    );
  }

  async function end(): Promise<MemberResults> {
    const failed = await host.children.countFailed(group);
    const result = { id, count, failed };
    const isFailure = failed > 0 && options.onError !== 'collect';
    if (isFailure) throw await failAs(await whyFailed(failed));
    const completed: StepWrite = { ...entry, state: 'completed', result, ...(isUndoable && { isUndoable }) };
    // An end that waits for the next write is lost with the worker, and would not be undone.
    if (isUndoable) await journal.store(completed);
    else journal.later(completed);
    tellEnded(host, { ...completed, state: 'completed' }, 1);
    return resultsOf(result, place);
  }

  async function failAs(message: string): Promise<StepFailedError> {
    const failed = {
      ...entry,
      state: 'failed',
      result,
      failure: { message },
    } as const;
    await journal.store(failed);
    tellEnded(host, failed, 1);
    return new StepFailedError(name, message);
  }

  async function whyFailed(failed: number): Promise<string> {
    if (failure) return failure.message;
    const first = await host.children.firstFailure(group);
    const reason = first ? `job '${first.id}': ${first.error ?? first.status}` : 'unknown';
    return count === 1 ? reason : `${failed} of ${count} children failed, such as ${reason}`;
  }
}

/** Adds children. @throws StepFailedError if children with these ids but other inputs exist, and ValidationError */
async function add(children: Children, id: string, { host }: StepPlace): Promise<void> {
  const { name, kind, inputs, options } = children;
  try {
    await host.children.add(host.attempt.job, {
      id,
      jobs: inputs.map((input) =>
        typeof kind === 'string'
          ? { name: kind, input, options: options.job }
          : { job: kind, input, options: options.job },
      ),
      ...(options.concurrency !== undefined && { groupLimit: options.concurrency }),
    });
  } catch (error) {
    if (!isKind(error, ConflictError)) throw error;
    const reason =
      'the attempt before has added children with other inputs. Compute the inputs in a step of its own, so that they stay the same';
    throw new StepFailedError(name, reason, { cause: error });
  }
}

function storedChildren({ result, kind }: KnownStep): StoredChildren | undefined {
  const isStored = kind === 'fanOut' && typeof result === 'object' && result !== null;
  if (!isStored || !('id' in result && 'count' in result && 'failed' in result)) return undefined;
  const { id, count, failed } = result;
  return typeof id === 'string' ? { id, count: Number(count), failed: Number(failed) } : undefined;
}

function resultsOf({ id, count, failed }: StoredChildren, { host }: StepPlace): MemberResults {
  return new MemberResults(count, failed, (from, size) => host.children.read(id, from, size));
}
