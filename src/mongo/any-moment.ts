/** The earliest date. */
export const BEGINNING_OF_TIME = new Date(-8.64e15);

/**
 * Matches a field that is a date. Needed beside a bound in an expression, where a missing field or null is less than any
 * date. Documents of another application lack such fields, and things that never recur have null.
 */
export const anyMoment = { $gte: BEGINNING_OF_TIME } as const;
