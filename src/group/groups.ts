import type { Events } from '../events.js';
import type { FormerHolder } from '../job/former-holder.js';
import { type Awaited, failureIn, groupOf, jobKey, parseGroup } from '../job/group.js';
import { type GroupState, letGo, lookAtGroup, openIn, wakeParent } from '../job/group-statements.js';
import type { InTree, SettledMember } from '../job/in-tree.js';
import { membersIndex } from '../job/indexes.js';
import type { Job, JobDocument, JobStatus, SettledStatus } from '../job/job.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { Logger } from '../log.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { checkGroups } from './check-groups.js';
import { closeBatch, closeWorkflow, failWorkflow, isStuck, lookSoon, reopening } from './close-group.js';
import type { GroupCollections } from './group-document.js';
import { cancelDescendants } from './tree.js';

/** Parts that groups need to look after their jobs. */
export interface GroupsOptions {
  readonly collections: GroupCollections;
  readonly events: Events;
  /** Tells workers of jobs that may run now. Never rejects. */
  readonly tell: (jobs: readonly QueuedJob[]) => Promise<void>;
  /** Gives the places of cancelled jobs in their limits to others. Never rejects. */
  readonly passOn: (freed: readonly FormerHolder[]) => Promise<void>;
  readonly log: Logger;
}

/** A settled job, with the fields that groups need. */
export interface Settled extends InTree {
  readonly id: string;
  readonly status: SettledStatus;
}

/**
 * Does the work that follows when jobs of groups have ended: parents go on, held jobs may run, and batches and workflows close.
 * It derives everything from the jobs. So anybody may do it any number of times, even at the same time. If a process dies
 * before it has done it, `checkGroups` does.
 */
export class Groups {
  constructor(private readonly options: GroupsOptions) {}

  /**
   * Does all work that follows when jobs were settled. Costs nothing for jobs without groups and children. Never rejects. After
   * a failure, the work is done within two minutes.
   */
  async afterSettling(settled: readonly Settled[]): Promise<void> {
    const members = settled.flatMap(({ group, ...job }) => (group === undefined ? [] : { ...job, group }));
    if (members.length > 0) await this.tryTo(async () => this.options.tell(await this.settled(members)));
    for (const { id, steps } of settled) if (steps?.children) await this.endTree(id);
  }

  /** Cancels the open jobs that a settled job has added. Never rejects, like `afterSettling`. */
  async endTree(parentId: string): Promise<void> {
    const { collections, passOn } = this.options;
    await this.tryTo(async () => passOn(await cancelDescendants(collections.jobs, parentId)));
  }

  /** Requests an early look after the children of a job. An attempt that lost its lease may have added some. */
  async checkSoon(parentId: string): Promise<void> {
    const { jobGroups } = this.options.collections;
    const soon = [{ $set: { checkAt: '$$NOW' } }];
    await this.tryTo(async () => {
      await jobGroups.updateOne({ _id: jobKey(parentId) }, soon, byId);
    });
  }

  /** Does the work that a process left undone when it died. Never rejects, since the next call tries again. */
  async check(): Promise<void> {
    await this.tryTo(async () => {
      const { woken, freed } = await checkGroups(this.options.collections, this);
      await this.options.passOn(freed);
      await this.options.tell(woken);
    });
  }

  /**
   * Releases the jobs that wait for a batch, or within a workflow, and closes the group if it is over. Never rejects, since
   * somebody else does it within two minutes.
   */
  async lookAt(group: string): Promise<void> {
    await this.tryTo(async () => this.options.tell(await this.lookAtAdded(group)));
  }

  /** Does what `lookAt` does. Returns the jobs that may run now. @throws the driver's errors */
  async lookAtAdded(group: string): Promise<QueuedJob[]> {
    const { kind, id } = parseGroup(group);
    if (kind === 'batch') return this.lookAtBatch(id);
    const free = await this.#lookForHeldIn(group);
    return [...free, ...(await this.lookAtWorkflow(id))];
  }

  /** Cancels the jobs that cancelled jobs had added, and passes their places on. Never rejects. */
  async afterCancelling(parents: readonly string[], freed: readonly FormerHolder[]): Promise<void> {
    await this.options.passOn(freed);
    for (const id of parents) await this.endTree(id);
  }

  /**
   * Requests an early look after groups before their jobs are queued again. Without it, a group that is over is looked at once
   * a day.
   *
   * @throws the driver's errors
   */
  async beforeRetrying(retried: readonly Pick<Job, 'group'>[]): Promise<void> {
    await lookSoon(this.options.collections, groupsOf(retried));
  }

  /**
   * Does the work that follows when people retry jobs: their groups go on, and these jobs wait again for the ones before them.
   * Never rejects. After a failure, the work is done within two minutes.
   */
  async afterRetrying(retried: readonly Pick<Job, 'id' | 'group' | 'after'>[]): Promise<void> {
    const groups = groupsOf(retried);
    const held = retried.filter(({ after }) => after !== undefined).map(({ id }) => id);
    const { jobs, jobGroups } = this.options.collections;
    await this.tryTo(async () => {
      if (groups.length > 0) await jobGroups.updateMany({ _id: { $in: groups } }, reopening, byId);
      if (held.length === 0) return;
      const queued = { _id: { $in: held }, status: 'queued' } as const;
      const found = await jobs.find(queued, { projection: { waitsFor: 1 }, ...byId }).toArray();
      await this.options.tell(await this.#lookForHeld(found));
    });
  }

  /** Does work, and ignores its failure because somebody else repeats it within two minutes. Never rejects. */
  async tryTo(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.warn('Groups of jobs could not be looked after', { error: String(error) });
    }
  }

  /** Looks after the groups of jobs that were settled. Returns the jobs that may run now. @throws the driver's errors */
  async settled(members: readonly SettledMember[]): Promise<QueuedJob[]> {
    const groups = new Map<string, SettledMember[]>();
    for (const member of members) groups.set(member.group, [...(groups.get(member.group) ?? []), member]);
    const woken = await Promise.all([...groups].map(([group, some]) => this.#after(group, some)));
    return woken.flat();
  }

  /**
   * Lets a parent go on that waits for one of these groups, or for a failure in one. Returns the parent if it goes on.
   *
   * @throws the driver's errors
   */
  async lookForParent(parentId: string, groups: readonly string[]): Promise<QueuedJob[]> {
    const { jobs } = this.options.collections;
    const ended = await Promise.all(
      groups.map(async (group) => endedIn(group, await lookAtGroup(jobs, group))),
    );
    const on = ended.flat();
    return on.length === 0 ? [] : wakeParent(jobs, parentId, on);
  }

  /** Lets the job run that waits for a batch, and closes the batch if it is over. @throws the driver's errors */
  async lookAtBatch(id: string): Promise<QueuedJob[]> {
    const { collections, events } = this.options;
    const group = groupOf('batch', id);
    const state = await lookAtGroup(collections.jobs, group);
    if (state.isOpen) return [];
    const free = await letGo(collections.jobs, [group], metBy(state.hasFailed));
    await closeBatch(collections, events, id, state.hasFailed);
    return free;
  }

  /**
   * Closes a workflow if it is over, and notes if nothing in it can run any more. Returns the jobs that may run now.
   *
   * @throws the driver's errors
   */
  async lookAtWorkflow(id: string): Promise<QueuedJob[]> {
    const { collections, events } = this.options;
    const group = groupOf('workflow', id);
    const { isOpen, hasFailed } = await lookAtGroup(collections.jobs, group);
    if (!isOpen) await closeWorkflow(collections, events, id, hasFailed);
    if (!isOpen || !hasFailed || !(await isStuck(collections.jobs, id))) return [];
    // Another process may have settled a job, and not looked yet.
    const free = await this.#lookForHeldIn(group);
    if (free.length === 0 && (await isStuck(collections.jobs, id)))
      await failWorkflow(collections, events, id);
    return free;
  }

  /** Releases the jobs of a workflow that need not wait any longer. Returns them. @throws the driver's errors */
  async #lookForHeldIn(group: string): Promise<QueuedJob[]> {
    const { jobs } = this.options.collections;
    const held = { ...openIn(group), 'waitsFor.on': { $exists: true } };
    const found = await byIndex(jobs, membersIndex, (hint) =>
      jobs.find(held, { projection: { waitsFor: 1 }, ...hint }).toArray(),
    );
    return this.#lookForHeld(found);
  }

  /**
   * Releases each of these held jobs if the groups and jobs that it waits for have ended. Returns the released ones. @throws
   * the driver's errors
   */
  async #lookForHeld(found: readonly Pick<JobDocument, 'waitsFor'>[]): Promise<QueuedJob[]> {
    const { jobs } = this.options.collections;
    const awaited = new Set(found.flatMap(({ waitsFor = [] }) => waitsFor.map(({ on }) => on)));
    const batches = [...awaited].filter((on) => on.startsWith('batch ')).map((on) => parseGroup(on).id);
    const ids = [...awaited].filter((on) => on.startsWith('job ')).map((on) => parseGroup(on).id);
    const ended = await jobs
      .find({ _id: { $in: ids }, completed: { $exists: true } }, { projection: { status: 1 }, ...byId })
      .toArray();
    const free = await this.#letGoAfter(ended.map(({ _id: id, status }) => ({ id, status })));
    for (const id of batches) free.push(...(await this.lookAtBatch(id)));
    return free;
  }

  async #after(group: string, members: readonly SettledMember[]): Promise<QueuedJob[]> {
    const { kind, id } = parseGroup(group);
    if (kind === 'batch') return this.lookAtBatch(id);
    if (kind === 'children') {
      const parent = members[0]?.parents?.at(-1);
      return parent === undefined ? [] : this.lookForParent(parent, [group]);
    }
    const free = await this.#letGoAfter(members);
    return [...free, ...(await this.lookAtWorkflow(id))];
  }

  /** Releases the jobs of a workflow that wait for the given jobs. */
  async #letGoAfter(
    members: readonly { readonly id: string; readonly status: JobStatus }[],
  ): Promise<QueuedJob[]> {
    const { jobs } = this.options.collections;
    const free: QueuedJob[] = [];
    for (const hasFailed of [false, true]) {
      const some = members.filter(({ status }) => (status !== 'completed') === hasFailed);
      const on = some.map(({ id }) => jobKey(id));
      if (on.length > 0) free.push(...(await letGo(jobs, on, metBy(hasFailed))));
    }
    return free;
  }
}

function groupsOf(jobs: readonly Pick<Job, 'group'>[]): string[] {
  return [...new Set(jobs.flatMap(({ group }) => group ?? []))];
}

/** Returns the conditions of a group that a parent need not wait for any longer. */
function endedIn(group: string, { isOpen, hasFailed }: GroupState): string[] {
  if (isOpen) return hasFailed ? [failureIn(group)] : [];
  return [group, failureIn(group)];
}

/** Returns the conditions that are met by jobs that have all ended. */
function metBy(hasFailed: boolean): readonly Awaited['when'][] {
  return hasFailed ? ['settled'] : ['completed', 'settled'];
}
