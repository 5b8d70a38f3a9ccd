/** No date is earlier. */
export const BEGINNING_OF_TIME = new Date(-8.64e15);

/**
 * Matches a field that is a date. Beside a bound in an expression, where what is not there, or null, is less than any date:
 * a document of somebody else has no such field, and what never comes again has null.
 */
export const anyMoment = { $gte: BEGINNING_OF_TIME } as const;
