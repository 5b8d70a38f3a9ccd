import { z } from 'zod';

/** What a process of the suite is told, as JSON, in its only argument. */
export const settingSchema = z.object({
  /** Such as `worker-0`. */
  name: z.string(),
  role: z.enum(['worker', 'scheduler', 'producer']),
  /** By way of the proxy. */
  uri: z.string(),
  /** Past the proxy: for the ledger. */
  directUri: z.string(),
  databaseName: z.string(),
  leaseMs: z.int(),
  seed: z.int(),
  /** How often this process was started before. */
  start: z.int(),
});

export type Setting = z.output<typeof settingSchema>;
