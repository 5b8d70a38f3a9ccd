/** The earliest date. */
export const BEGINNING_OF_TIME = new Date(-8.64e15);

/**
 * Matches a field that is a date. Needed beside an upper bound in an expression, which a missing field or null meets
 * too. Foreign documents lack such fields, and in documents of ours without a next time they are null.
 */
export const anyMoment = { $gte: BEGINNING_OF_TIME } as const;
