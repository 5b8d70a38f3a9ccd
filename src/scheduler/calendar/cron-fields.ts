/** The fields of a `Cron` item given by lists. All lists must match. An empty list matches every value. */
export interface CronFields {
  /** 0 to 59. */
  readonly minute: readonly number[];
  /** 0 to 23. */
  readonly hour: readonly number[];
  /** 1 to 31. */
  readonly dayOfMonth: readonly number[];
  /** 1 to 12. */
  readonly month: readonly number[];
  /** 0 is Monday, 6 is Sunday. */
  readonly dayOfWeek: readonly number[];
}
