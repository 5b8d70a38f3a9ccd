/** The cost of a query, as `explain` reports it. */
export interface Counters {
  /** Index keys examined. */
  keys: number;
  /** Documents examined. */
  docs: number;
}
