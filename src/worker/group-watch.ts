import type { Groups } from '../group/groups.js';
import { groupsAwaited, parseGroup } from '../job/group.js';
import type { SettledMember } from '../job/in-tree.js';
import { type ClaimedJob, isSettled } from '../job/job.js';
import type { Outcome } from '../job/outcome.js';
import type { QueuedJob } from '../job/queued-job.js';
import type { SettledAs } from '../job/settle-jobs.js';
import type { ReadySignal } from '../jobs-ready.js';
import { PendingWork } from './pending-work.js';

/** How often to look at a group whose jobs end one after the other. Nobody is to wait long for the last one. */
const EVERY_MS = 200;

/** The jobs of a group that ended since somebody looked at it. */
interface Watched {
  ended: SettledMember[];
  timer: NodeJS.Timeout;
}

/**
 * Looks after the groups whose jobs end in one drain: at once, and then every 200 ms as long as more jobs end. If a look
 * fails, somebody else looks within two minutes.
 */
export class GroupWatch {
  readonly #watched = new Map<string, Watched>();
  readonly #underWay = new PendingWork();

  constructor(
    private readonly groups: Groups,
    private readonly jobsReady: ReadySignal,
  ) {}

  /**
   * Notes how an attempt was settled. Costs nothing for jobs without groups and children.
   *
   * @param hasChildren whether the job may have added others
   * @param isOpen whether the drain holds another job of the group. A completed job then has no consequences, except in a
   *   workflow
   */
  ended(
    { id, group, parents }: ClaimedJob,
    outcome: Outcome,
    settledAs: SettledAs | undefined,
    hasChildren: boolean,
    isOpen: boolean,
  ): void {
    if (outcome.kind === 'suspended' && settledAs === 'queued') {
      // What the job waits for may have ended before it was suspended.
      const groups = groupsAwaited(outcome.waits);
      if (groups.length > 0) this.#look(() => this.groups.lookForParent(id, groups));
    }
    if (hasChildren && (settledAs === 'stale' || settledAs === undefined))
      this.#underWay.add(this.groups.checkSoon(id));
    if (hasChildren && isSettled(settledAs)) this.#underWay.add(this.groups.endTree(id));
    if (group === undefined || !isSettled(settledAs)) return;
    if (isOpen && settledAs === 'completed' && parseGroup(group).kind !== 'workflow') return;
    const member = { id, group, status: settledAs, ...(parents && { parents }) };
    const watched = this.#watched.get(group);
    if (watched) watched.ended.push(member);
    else {
      this.#lookAt([member]);
      this.#watched.set(group, { ended: [], timer: setInterval(() => this.#lookAgain(group), EVERY_MS) });
    }
  }

  /** Looks at all groups in which jobs have ended since the last look, and waits for all looks under way. */
  async finish(): Promise<void> {
    for (const { ended, timer } of this.#watched.values()) {
      clearInterval(timer);
      this.#lookAt(ended);
    }
    this.#watched.clear();
    await this.#underWay.end();
  }

  #lookAgain(group: string): void {
    const watched = this.#watched.get(group);
    if (!watched) return;
    if (watched.ended.length === 0) {
      clearInterval(watched.timer);
      this.#watched.delete(group);
    } else this.#lookAt(watched.ended.splice(0));
  }

  #lookAt(members: readonly SettledMember[]): void {
    if (members.length > 0) this.#look(() => this.groups.settled(members));
  }

  #look(look: () => Promise<QueuedJob[]>): void {
    this.#underWay.add(this.groups.tryTo(async () => this.jobsReady.tell(await look())));
  }
}
