import { z } from 'zod';

/**
 * The moments before a statement is sent and after its answer has come. Between an answer and the next statement the
 * database does not change, so that one of the two moments is enough to kill a process at every place.
 */
export const boundaries = ['commandStarted', 'commandSucceeded'] as const;

/** The argument of a process. */
export const settingSchema = z.strictObject({
  uri: z.string(),
  databaseName: z.string(),
  /** The number of statement boundaries that it survives. The next one kills it. */
  survives: z.int(),
  boundaries: z.array(z.enum(boundaries)),
});

export type Setting = z.output<typeof settingSchema>;
