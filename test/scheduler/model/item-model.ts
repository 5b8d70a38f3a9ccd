/** Seconds since the epoch. */
type Moment = number;

/** The times at which the model's item is due. */
export type Timing =
  | { readonly type: 'Delay'; readonly seconds: number }
  | { readonly type: 'Cron'; readonly minutes: number }
  | { readonly type: 'At'; readonly at: Moment };

export interface Definition {
  readonly timing: Timing;
  readonly catchUp: 'once' | 'all' | 'none';
  readonly overlap: 'allow' | 'skip';
  readonly maxOccurrences: number | undefined;
  readonly endAt: Moment | undefined;
}

/** The state of an occurrence's job, until it is removed. */
export interface ModelJob {
  status: 'queued' | 'completed' | 'cancelled';
  runAt: Moment;
}

/** A scheduler item and its jobs without a database, one occurrence at a time, to compare the real item with. */
export class ItemModel {
  active = false;
  /** Whether it became inactive by itself, and nobody has switched it since. */
  ended = false;
  next: Moment | null = null;
  skipped = 0;
  /** The occurrences that the item has moved past with a job, in order. */
  made: Moment[] = [];
  jobs = new Map<Moment, ModelJob>();

  constructor(
    public definition: Definition,
    public now: Moment,
  ) {}

  get last(): Moment | null {
    return this.made.at(-1) ?? null;
  }

  /** Makes the jobs that are due now or within `ahead` seconds, at most `maxJobs`. */
  tick(ahead: number, maxJobs = Number.POSITIVE_INFINITY): void {
    const { catchUp, overlap } = this.definition;
    const isMissed = (at: Moment) => this.isMissed(at);
    let left = maxJobs;
    if (this.active && this.next !== null && isMissed(this.next) && catchUp !== 'all') {
      if (catchUp === 'once') left -= this.handle();
      this.passOver(isMissed);
    }
    const until = this.now + (overlap === 'skip' ? 0 : ahead);
    while (this.active && this.next !== null && this.next <= until && left > 0) left -= this.handle();
    this.endIfOver();
  }

  activate(): boolean {
    const before = this.withdrawn();
    if (before.active) return true;
    const next = before.callTime();
    if (next === null) return false;
    this.become(before);
    this.active = true;
    this.ended = false;
    this.next = next;
    return true;
  }

  deactivate(): void {
    const before = this.withdrawn();
    if (!before.active && !before.ended) return;
    before.makeDue();
    this.become(before);
    this.active = false;
    this.ended = false;
    this.next = null;
  }

  /** Changes the item. Returns false, and changes nothing, when it would never be due. */
  update(change: Partial<Definition>): boolean {
    const before = this.withdrawn();
    const old = before.definition;
    const next = { ...old, ...change };
    const isMoved = contentOf(old.timing) !== contentOf(next.timing);
    const isEndedOtherwise = old.maxOccurrences !== next.maxOccurrences || old.endAt !== next.endAt;
    if (before.active && isMoved) {
      const moved = before.callTimeBy(next);
      if (moved === null) return false;
      if (moved !== before.next) before.makeDue();
      before.next = before.callTimeBy(next);
    }
    before.definition = next;
    if (before.active && !isMoved) before.next = before.stillToCome();
    if (isMoved || isEndedOtherwise) {
      if ((before.active ? before.next : before.callTime()) === null) return false;
    }
    this.become(before);
    return true;
  }

  reschedule(): void {
    if (!this.active) return;
    if (this.next !== this.callTime()) this.makeDue();
    this.next = this.callTime();
    this.endIfOver();
  }

  /** Runs the due jobs. */
  work(): Moment[] {
    const due = this.jobsThatAre('queued').filter((at) => this.job(at).runAt <= this.now);
    for (const at of due) this.job(at).status = 'completed';
    return due;
  }

  removeJobs(): void {
    for (const [at, { status }] of this.jobs) if (status !== 'queued' && at <= this.now) this.jobs.delete(at);
  }

  jobsThatAre(wanted: ModelJob['status']): Moment[] {
    return [...this.jobs].filter(([, { status }]) => status === wanted).map(([at]) => at);
  }

  job(at: Moment): ModelJob {
    const job = this.jobs.get(at);
    if (job) return job;
    throw new Error(`The model has no job of the occurrence at ${at}.`);
  }

  /** Makes due jobs before a change of the item would lose them. The last of them does not end the item. */
  private makeDue(): void {
    if (!this.active || this.next === null || this.next > this.now) return;
    this.tick(0);
    this.active = true;
    this.ended = false;
  }

  private callTimeBy(definition: Definition): Moment | null {
    const { definition: own } = this;
    this.definition = definition;
    const next = this.callTime();
    this.definition = own;
    return next;
  }

  private endIfOver(): void {
    if (!this.active || this.next !== null) return;
    this.active = false;
    this.ended = true;
  }

  private passOver(isToBePassed: (at: Moment) => boolean): void {
    while (this.next !== null && isToBePassed(this.next)) this.next = this.following(this.next);
  }

  /** Makes the job of the next occurrence, or skips it, and moves on. Returns the number of jobs made. */
  private handle(): number {
    const at = this.next;
    if (at === null) return 0;
    const isSkipped = this.definition.overlap === 'skip' && this.isBusy();
    if (isSkipped) this.skipped += 1;
    const count = isSkipped ? 0 : this.make(at);
    this.next = this.hasLeft() ? this.following(at) : null;
    return count;
  }

  /** Makes the job, unless the occurrence has one that a person cancelled or ran early. Returns the number of jobs made. */
  private make(at: Moment): number {
    this.made.push(at);
    if (this.jobs.has(at)) return 0;
    this.jobs.set(at, { status: 'queued', runAt: at });
    return 1;
  }

  private isMissed(at: Moment): boolean {
    return this.now - at > 90;
  }

  private hasLeft(): boolean {
    return this.made.length < (this.definition.maxOccurrences ?? Number.POSITIVE_INFINITY);
  }

  private isBusy(): boolean {
    return this.last !== null && this.jobs.get(this.last)?.status === 'queued';
  }

  /** Returns a copy of the item without the jobs made ahead that nobody has changed. */
  private withdrawn(): ItemModel {
    const before = new ItemModel(this.definition, this.now);
    Object.assign(before, { active: this.active, ended: this.ended, next: this.next, skipped: this.skipped });
    before.made = [...this.made];
    before.jobs = new Map([...this.jobs].map(([at, job]) => [at, { ...job }]));
    const { last } = this;
    if (last === null || last <= this.now) return before;
    const untouched = this.jobsThatAre('queued').filter(
      (at) => at > this.now && at <= last && this.job(at).runAt > this.now,
    );
    if (untouched.length === 0) return before;
    const first = Math.min(...untouched);
    for (const at of untouched) before.jobs.delete(at);
    before.active = this.active || this.ended;
    before.ended = false;
    before.made = this.made.filter((at) => at < first);
    before.next = first;
    return before;
  }

  private become(other: ItemModel): void {
    const { definition, active, ended, next, skipped, made, jobs } = other;
    Object.assign(this, { definition, active, ended, next, skipped, made, jobs });
  }

  /** Returns the next occurrence, or null if the item ends before it. */
  private stillToCome(): Moment | null {
    return this.next === null || !this.hasLeft() ? null : this.unlessEnded(this.next);
  }

  /** Returns the next occurrence if the item becomes active now. */
  private callTime(): Moment | null {
    if (!this.hasLeft()) return null;
    const { timing } = this.definition;
    const from = Math.max(this.now, this.last ?? Number.NEGATIVE_INFINITY);
    switch (timing.type) {
      case 'At':
        if (this.last !== null && timing.at <= this.last) return null;
        if (this.definition.catchUp === 'none' && this.isMissed(timing.at)) return null;
        return this.unlessEnded(timing.at);
      case 'Cron':
        return this.following(from);
      case 'Delay': {
        const next = this.now + timing.seconds;
        return this.unlessEnded(this.last !== null && next <= this.last ? this.last + timing.seconds : next);
      }
    }
  }

  /** Returns the occurrence after `at`. */
  private following(at: Moment): Moment | null {
    const { timing } = this.definition;
    switch (timing.type) {
      case 'At':
        return null;
      case 'Cron': {
        const step = timing.minutes * 60;
        return this.unlessEnded((Math.floor(at / step) + 1) * step);
      }
      case 'Delay':
        return this.unlessEnded(at + timing.seconds);
    }
  }

  private unlessEnded(at: Moment): Moment | null {
    return at > (this.definition.endAt ?? Number.POSITIVE_INFINITY) ? null : at;
  }
}

function contentOf(timing: Timing): string {
  return JSON.stringify(timing);
}
