import { z } from 'zod';

/** The setting of a process of the suite, passed as JSON in its only argument. */
export const settingSchema = z.object({
  /** The name, such as `worker-0`. */
  name: z.string(),
  role: z.enum(['worker', 'scheduler', 'producer']),
  /** The address of the proxy. */
  uri: z.string(),
  /** The address past the proxy, for the ledger. */
  directUri: z.string(),
  databaseName: z.string(),
  leaseMs: z.int(),
  seed: z.int(),
  /** The number of earlier starts of this process. */
  start: z.int(),
});

export type Setting = z.output<typeof settingSchema>;
