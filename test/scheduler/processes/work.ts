import { z } from 'zod';
import type { DeclaredScheduler } from '../../../src/index.js';

export const works = ['tick', 'update', 'remove', 'sync', 'tick after tick'] as const;

/**
 * Before a statement is sent, and after its answer has come. Between an answer and the next statement the database does
 * not change: one of both is enough to kill a process everywhere.
 */
export const boundaries = ['commandStarted', 'commandSucceeded'] as const;

/** What a process does. */
export type Work = (typeof works)[number];

/** The argument of a process. */
export const settingSchema = z.strictObject({
  uri: z.string(),
  databaseName: z.string(),
  work: z.enum(works),
  /** How many boundaries of statements it lives through; the next one kills it. */
  survives: z.int(),
  boundaries: z.array(z.enum(boundaries)),
});

export type Setting = z.output<typeof settingSchema>;

const shared = { type: 'Delay', delay: '1h', jobName: 'anything', active: true } as const;

/** What was declared before `sync`. */
export const declaredBefore: DeclaredScheduler[] = [
  { ...shared, id: 'kept' },
  { ...shared, id: 'changed', input: 'old' },
  { ...shared, id: 'given up' },
];

/** What `sync` declares. */
export const declaredLater: DeclaredScheduler[] = [
  { ...shared, id: 'kept' },
  { ...shared, id: 'changed', input: 'new' },
  { ...shared, id: 'added' },
];
