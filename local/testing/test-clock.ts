/** A clock that stands still until it is moved, and never goes back. */
export class TestClock {
  #now: number;

  /** @param onMove called with the time now, and whenever it changes */
  constructor(
    now: Date,
    private readonly onMove: (now: Date) => void,
  ) {
    this.#now = now.getTime();
    onMove(new Date(now));
  }

  /** Milliseconds since the epoch. */
  readonly now = (): number => this.#now;

  /** Moves to a moment in milliseconds since the epoch, unless the clock has passed it. */
  moveTo(moment: number): void {
    if (moment <= this.#now) return;
    this.#now = moment;
    this.onMove(new Date(moment));
  }
}
