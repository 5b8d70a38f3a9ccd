import type { Collection } from 'mongodb';
import { ValidationError } from '../errors.js';
import type { GroupAdding } from '../group/adding.js';
import { asMember } from '../group/as-member.js';
import { retryFailed } from '../group/change-group.js';
import { CHECK_MS, fromNow, type GroupCollections } from '../group/group-document.js';
import { countFailed, findFailures, readMembers } from '../group/read-members.js';
import { cancelMembers } from '../group/tree.js';
import type { EndedMember, MemberResult } from '../job/children.js';
import { findOrdersAbove } from '../job/find-orders-above.js';
import type { FormerHolder } from '../job/former-holder.js';
import { groupOf, jobKey, memberId } from '../job/group.js';
import { type GroupState, lookAtGroup, openIn } from '../job/group-statements.js';
import { membersIndex } from '../job/indexes.js';
import type { NewJob } from '../job/insert-job.js';
import type { ClaimedJob, JobDocument } from '../job/job.js';
import { byId, byIndex } from '../mongo/by-index.js';
import { retryWhileUnreachable } from '../mongo/retry-while-unreachable.js';
import type { ChildStore, NewChildren } from '../step/step-host.js';

/** Options of a child store. */
export interface ChildStoreOptions {
  readonly collections: GroupCollections;
  readonly leaseMs: number;
  readonly adding: GroupAdding;
  /** Gives the places of cancelled jobs in their limits to others. */
  readonly passOn: (freed: readonly FormerHolder[]) => Promise<void>;
  /** Tells workers that jobs were queued again. */
  readonly tellQueued: () => Promise<void>;
}

/** Adds and reads the children of one drain's jobs. */
export class WorkerChildStore implements ChildStore {
  constructor(private readonly options: ChildStoreOptions) {}

  async add({ id: parent, parents = [] }: ClaimedJob, { id, jobs, groupLimit }: NewChildren): Promise<void> {
    const { adding, leaseMs } = this.options;
    const group = groupOf('children', id);
    const all = [...parents, parent];
    const checked = await adding.check(jobs, undefined);
    const children = checked.map((job, index) => ({
      ...asMember(job, memberId(id, index), group),
      parents: all,
      ...(groupLimit !== undefined && { groupLimit }),
    }));
    await this.#requireOwnOrders(all, children);
    await this.#noteParent(parent);
    await adding.add(children, leaseMs);
  }

  look(group: string): Promise<GroupState> {
    return this.#patiently((jobs) => lookAtGroup(jobs, group));
  }

  countFailed(group: string): Promise<number> {
    return this.#patiently((jobs) => countFailed(jobs, group));
  }

  firstFailure(group: string): Promise<EndedMember | undefined> {
    return this.#patiently(async (jobs) => (await findFailures(jobs, group, 1))[0]);
  }

  read(id: string, from: number, count: number): Promise<MemberResult[]> {
    return this.#patiently((jobs) => readMembers(jobs, id, from, count));
  }

  async retry({ id: parent }: ClaimedJob, group: string): Promise<boolean> {
    await this.#noteParent(parent);
    const stopping = { ...openIn(group), cancelRequested: { $exists: true } };
    const options = { projection: { _id: 1 } } as const;
    const found = await this.#patiently((jobs) =>
      byIndex(jobs, membersIndex, (hint) => jobs.findOne(stopping, { ...options, ...hint })),
    );
    if (found) return false;
    await this.#patiently((jobs) => retryFailed(jobs, group));
    await this.options.tellQueued();
    return true;
  }

  async cancel({ id: parent }: ClaimedJob, id: string): Promise<void> {
    const freed = await this.#patiently((jobs) => cancelMembers(jobs, parent, id));
    await this.options.passOn(freed);
  }

  /** Refuses a child that would wait for a job above it while that job waits for the child. @throws ValidationError */
  async #requireOwnOrders(parents: readonly string[], children: readonly NewJob[]): Promise<void> {
    const held = await this.#patiently((jobs) => findOrdersAbove(jobs, parents, children));
    const issues = children.flatMap(({ limits = [] }, index) =>
      limits.flatMap(({ key }) => {
        const holder = held.get(key);
        const message = `expected another strict order than '${key}': job '${holder}' has its place in it until this child has ended`;
        return holder === undefined ? [] : [{ path: String(index), message }];
      }),
    );
    if (issues.length > 0) throw new ValidationError('The children of a job', issues);
  }

  /** Makes sure that somebody looks after the children if all workers die. */
  async #noteParent(parent: string): Promise<void> {
    const { jobGroups } = this.options.collections;
    const noted = [{ $set: { kind: 'job', checkAt: fromNow(CHECK_MS) } }];
    await retryWhileUnreachable(this.options.leaseMs, () =>
      jobGroups.updateOne({ _id: jobKey(parent) }, noted, { upsert: true, ...byId }),
    );
  }

  /** Repeats work while the database cannot be reached, for as long as the lease lasts. The work must be safe to repeat. */
  #patiently<Result>(work: (jobs: Collection<JobDocument>) => Promise<Result>): Promise<Result> {
    const { collections, leaseMs } = this.options;
    return retryWhileUnreachable(leaseMs, () => work(collections.jobs));
  }
}
