import { MemberResults } from '../job/children.js';
import { parseGroup } from '../job/group.js';
import type { PageFilter } from '../page-filter.js';
import { AddedGroups } from './added-groups.js';
import { type BatchInfo, describeBatch } from './describe-group.js';
import { countFailed, readMembers } from './read-members.js';

/** A page of batches. */
export interface BatchPage {
  readonly batches: readonly BatchInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** Batches of jobs. `processor.addBatch` adds one. */
export class Batches extends AddedGroups<'batch'> {
  /** Returns a page of batches, newest first. Each costs two counts of its jobs. @throws ValidationError */
  async list(filter?: PageFilter): Promise<BatchPage> {
    const { documents, cursor } = await this.page(filter);
    const collections = await this.collections();
    return {
      batches: await Promise.all(documents.map((batch) => describeBatch(collections, batch))),
      cursor,
    };
  }

  /** Returns how far a batch has come. @throws NotFoundError */
  async get(id: string): Promise<BatchInfo> {
    return describeBatch(await this.collections(), await this.require(id));
  }

  /**
   * Returns how the jobs of a batch ended, to be read one by one. Jobs that have not ended count as cancelled.
   *
   * @throws NotFoundError
   * @example
   * for await (const result of await processor.batches.results('import-7')) console.log(result.status);
   */
  async results(id: string): Promise<MemberResults> {
    const { jobs } = await this.collections();
    const { size, _id } = await this.require(id);
    const failed = await countFailed(jobs, _id);
    return new MemberResults(size, failed, (from, count) =>
      readMembers(jobs, parseGroup(_id).id, from, count),
    );
  }
}
