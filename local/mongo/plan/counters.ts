/** What a query has cost, as `explain` reports it. */
export interface Counters {
  /** Index keys examined. */
  keys: number;
  /** Documents examined. */
  docs: number;
}
