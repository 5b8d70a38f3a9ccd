import type { JobFactory, MemberResult } from '../../src/index.js';
import { isJobFactory } from '../../src/job/define-job.js';
import { toFailure } from '../../src/job/failure.js';
import { memberId } from '../../src/job/group.js';
import type { ChildStore, NewChildren } from '../../src/step/step-host.js';

/** Children that run at once, one after the other, and are kept in memory. */
export class MemoryChildren implements ChildStore {
  readonly #ended = new Map<string, MemberResult[]>();

  /** @param run runs a job, and returns its output */
  constructor(private readonly run: (job: JobFactory, input: unknown) => Promise<unknown>) {}

  async add(_: unknown, { id, jobs }: NewChildren): Promise<void> {
    const ended: MemberResult[] = [];
    for (const [index, { job, input }] of jobs.entries()) {
      if (!isJobFactory(job))
        throw new Error(
          'A child that is given by its name or its contract cannot run here: replace the step.',
        );
      const about = { index, id: memberId(id, index) };
      try {
        ended.push({ ...about, status: 'completed', output: await this.run(job, input) });
      } catch (error) {
        ended.push({ ...about, status: 'error', error: toFailure(error).message });
      }
    }
    this.#ended.set(id, ended);
  }

  look = async (group: string) => ({ isOpen: false, hasFailed: this.#failed(group).length > 0 });

  countFailed = async (group: string) => this.#failed(group).length;

  async firstFailure(group: string) {
    const [first] = this.#failed(group);
    return first && { ...first, status: 'error' as const };
  }

  retry = async () => true;

  cancel = async () => {};

  read = async (id: string, from: number, count: number) =>
    (this.#ended.get(id) ?? []).slice(from, from + count);

  #failed(group: string): MemberResult[] {
    const ended = this.#ended.get(group.slice(group.indexOf(' ') + 1)) ?? [];
    return ended.filter(({ status }) => status !== 'completed');
  }
}
