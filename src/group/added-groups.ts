import * as z from 'zod';
import { type CallerOptions, callerOptionsSchema } from '../access/caller.js';
import type { Role } from '../access/role.js';
import { ConflictError, NotFoundError } from '../errors.js';
import type { EndedMember } from '../job/children.js';
import { groupOf } from '../job/group.js';
import { lookAtGroup } from '../job/group-statements.js';
import { byId, byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { momentPlaceSchema, readNewestFirst } from '../newest-first.js';
import { type PageFilter, pageSchema } from '../page-filter.js';
import { validateNow } from '../validate.js';
import { cancelGroup, retryGroup } from './change-group.js';
import {
  type BatchDocument,
  byKind,
  type GroupCollections,
  type WorkflowDocument,
} from './group-document.js';
import type { Groups } from './groups.js';
import { findFailures } from './read-members.js';
import { removeGroup } from './remove-group.js';

/** The documents of one kind of groups. */
type DocumentOf<Kind extends 'batch' | 'workflow'> = Kind extends 'batch' ? BatchDocument : WorkflowDocument;

/** The methods that batches and workflows share. */
export abstract class AddedGroups<Kind extends 'batch' | 'workflow'> {
  /**
   * @param kick asks for workers
   * @param requireMayAdd checks that a role may add jobs of these kinds. Throws ForbiddenError
   */
  constructor(
    private readonly kind: Kind,
    /** @internal */
    protected readonly collections: Connected<GroupCollections>,
    private readonly groups: Groups,
    private readonly kick: () => Promise<void>,
    private readonly requireMayAdd: (kinds: readonly string[], role: Role | undefined) => Promise<void>,
  ) {}

  /**
   * Cancels the open jobs of a group, all jobs that these have added, and the job that waits for a batch. Running jobs are
   * asked to stop.
   *
   * @returns how many jobs of the group were cancelled or asked to stop
   * @throws NotFoundError
   */
  async cancel(id: string): Promise<number> {
    const collections = await this.collections();
    const group = await this.require(id);
    const { changed, parents, freed } = await cancelGroup(collections, group);
    await this.groups.afterCancelling(parents, freed);
    await this.groups.lookAt(group._id);
    return changed;
  }

  /**
   * Queues the failed and cancelled jobs of a group again. The jobs that wait for them go on afterwards.
   *
   * @param options `callerRole` as in `AddJobOptions`. It must suffice for all kinds of jobs of the group
   * @returns how many jobs were queued again
   * @throws NotFoundError, ForbiddenError, or ConflictError if the job that runs after a batch is gone
   */
  async retry(id: string, options: CallerOptions = {}): Promise<number> {
    const { callerRole } = validateNow(callerOptionsSchema, options, `The call of retry of a ${this.kind}`);
    const group = await this.require(id);
    await this.requireMayAdd(kindsOf(group), callerRole);
    const changed = await retryGroup(await this.collections(), group);
    await this.groups.lookAt(group._id);
    await this.kick();
    return changed;
  }

  /**
   * Returns jobs of a group that failed or were cancelled, in the order in which they ended.
   *
   * @param limit how many at most, 1 to 1000. Default 20
   * @throws NotFoundError, or ValidationError
   */
  async failures(id: string, limit = 20): Promise<EndedMember[]> {
    const valid = validateNow(limitSchema, limit, `Limit of failures of a ${this.kind}`);
    const { jobs } = await this.collections();
    return findFailures(jobs, (await this.require(id))._id, valid);
  }

  /**
   * Removes a group with its jobs and all jobs that these have added.
   *
   * @throws NotFoundError, or ConflictError if jobs have not ended, or are still being added
   */
  async remove(id: string): Promise<void> {
    const collections = await this.collections();
    const group = await this.require(id);
    if (group.kind === 'batch' && !group.sealed)
      throw new ConflictError(
        id,
        `The batch '${id}' cannot be removed: jobs of it are still being added. If whoever did that has died, add it again, or it is removed a week after it was begun.`,
      );
    if (await this.#isOpen(group))
      throw new ConflictError(
        id,
        `The ${this.kind} '${id}' cannot be removed: jobs of it have not ended. Cancel it first.`,
      );
    await removeGroup(collections, group);
  }

  /** Returns whether a job of the group, or the job that waits for a batch, has not ended. */
  async #isOpen(group: BatchDocument | WorkflowDocument): Promise<boolean> {
    const { jobs } = await this.collections();
    const then = group.kind === 'batch' && group.then;
    const open = then && { _id: then.id, completed: { $exists: false } };
    if (open && (await jobs.findOne(open, { projection: { _id: 1 }, ...byId }))) return true;
    return (await lookAtGroup(jobs, group._id)).isOpen;
  }

  /** Returns a page of documents, newest first. @internal */
  protected async page(
    filter: PageFilter = {},
  ): Promise<{ readonly documents: readonly DocumentOf<Kind>[]; readonly cursor: string | undefined }> {
    const page = validateNow(filterSchema, filter, `Filter of ${this.kind}s`);
    const { jobGroups } = await this.collections();
    return byIndex(jobGroups, byKind, (hint) =>
      readNewestFirst('created', page, (after, options) =>
        jobGroups.find<DocumentOf<Kind>>({ kind: this.kind, ...after }, { ...options, ...hint }),
      ),
    );
  }

  /** Returns the document of a group. @throws NotFoundError @internal */
  protected async require(id: string): Promise<DocumentOf<Kind>> {
    const { jobGroups } = await this.collections();
    const group = { _id: groupOf(this.kind, String(id)), kind: this.kind };
    const found = await jobGroups.findOne<DocumentOf<Kind>>(group, byId);
    if (found) return found;
    throw new NotFoundError(this.kind, String(id));
  }
}

/** Returns the names of the kinds of jobs of a group. */
export function kindsOf(group: BatchDocument | WorkflowDocument): readonly string[] {
  return group.kind === 'batch' ? group.kinds : [...new Set(group.jobs.map(({ jobName }) => jobName))];
}

const limitSchema = z.int().min(1).max(1000);

const filterSchema = pageSchema(momentPlaceSchema);
