import { MemberResults } from '../job/children.js';
import { memberId, parseGroup } from '../job/group.js';
import type { PageFilter } from '../page-filter.js';
import { AddedGroups } from './added-groups.js';
import { type BatchInfo, describeBatch } from './describe-group.js';
import { type JobResult, listResults, type ResultPage, type ResultsFilter } from './list-results.js';
import { countFailed, readMembers } from './read-members.js';

/** A page of batches. */
export interface BatchPage {
  readonly batches: readonly BatchInfo[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

/** How a job of a batch ended, or its present state. */
export interface BatchResult extends JobResult {
  /** Its number in the batch, from 0. */
  readonly index: number;
}

/** Batches of jobs. `processor.addBatch` adds one. */
export class Batches extends AddedGroups<'batch'> {
  /** Returns a page of batches, newest first. Each batch costs four counts of its jobs. @throws ValidationError */
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
   * Returns how the jobs of a batch ended, for reading one by one. A job that has not ended counts as cancelled.
   *
   * @throws NotFoundError
   * @example for await (const result of await processor.batches.results('import-7')) console.log(result.status);
   */
  async results(id: string): Promise<MemberResults> {
    const { jobs } = await this.collections();
    const { size, _id } = await this.require(id);
    const failed = await countFailed(jobs, _id);
    return new MemberResults(size, failed, (from, count) =>
      readMembers(jobs, parseGroup(_id).id, from, count),
    );
  }

  /**
   * Returns a page of the jobs' results or present states, in the order in which the jobs were given. With `status`, each page
   * searches 5,000 jobs. It may have fewer results than `limit`, even none, and still a cursor to continue.
   *
   * @throws NotFoundError, or ValidationError for an invalid filter or a cursor that no page returned
   */
  async listResults(id: string, filter?: ResultsFilter): Promise<ResultPage<BatchResult>> {
    const { jobs } = await this.collections();
    const { size } = await this.require(id);
    const idsOf = (from: number, to: number) =>
      Array.from({ length: Math.max(0, to - from) }, (_, offset) => memberId(id, from + offset));
    const { results, cursor } = await listResults(jobs, size, idsOf, filter);
    const numbered = results.map((result) => ({ index: Number(result.id.slice(id.length + 1)), ...result }));
    return { results: numbered, cursor };
  }
}
