import type { DeclaredScheduler } from '../../../src/index.js';

const shared = { type: 'Delay', delay: '1h', jobName: 'anything', active: true } as const;

/** The items declared before `sync`. */
export const declaredBefore: DeclaredScheduler[] = [
  { ...shared, id: 'kept' },
  { ...shared, id: 'changed', input: 'old' },
  { ...shared, id: 'given up' },
];

/** The items that `sync` declares. */
export const declaredLater: DeclaredScheduler[] = [
  { ...shared, id: 'kept' },
  { ...shared, id: 'changed', input: 'new' },
  { ...shared, id: 'added' },
];
