/** The earliest date. */
export const BEGINNING_OF_TIME = new Date(-8.64e15);

/**
 * Matches a field that is a date. An upper bound in an expression needs it, because a missing field or null also meets that
 * bound. Foreign documents lack such fields, and our documents without a next time have null.
 */
export const anyMoment = { $gte: BEGINNING_OF_TIME } as const;
