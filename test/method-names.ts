import type { LocalProcessor } from '../local/processor.js';
import { AddedGroups } from '../src/group/added-groups.js';
import { RemoteProcessor } from '../src/index.js';

export const groups = [
  'audit',
  'batches',
  'factories',
  'failures',
  'jobs',
  'limits',
  'marks',
  'operations',
  'queues',
  'schedules',
  'statistics',
  'workers',
  'workflows',
] as const;

/** The methods that query no database, or that only a subclass can call. */
const others = ['jobNames', 'kick', 'on', 'use', 'storeJobFactoriesAgain', 'onDrainGoesOn', 'setStepRules'];

/** Returns the methods of a processor and of its groups that query the database, such as `addJob` and `jobs.list`. */
export function methodNames(processor: LocalProcessor): string[] {
  const own = namesOf(RemoteProcessor.prototype).filter((name) => !others.includes(name));
  return [...own, ...groups.flatMap((group) => namesOf(processor[group]).map((name) => `${group}.${name}`))];
}

function namesOf(object: object): string[] {
  const prototype = Object.hasOwn(object, 'constructor') ? object : Object.getPrototypeOf(object);
  const above = Object.getPrototypeOf(prototype);
  const names = Object.getOwnPropertyNames(prototype).filter((name) => !inner.includes(name));
  return object instanceof AddedGroups ? [...names, ...namesOf(above)] : names;
}

/** Methods that only a subclass can call. */
const inner = ['constructor', 'page', 'require'];
