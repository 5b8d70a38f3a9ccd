import type { CommandStartedEvent, Document } from 'mongodb';
import { defineJob, type JobContext } from '../../src/index.js';
import { collectionNames } from '../collection-names.js';

/** Returns a job that does what the test says. */
export function telling(run: (context: JobContext) => unknown) {
  return defineJob({ name: 'telling', retryDelay: 0, run });
}

/** Counts the statements of a command that store a job's reports. */
export function reportsIn({ update, updates, findAndModify }: Document): number {
  if (update !== collectionNames.jobs && findAndModify !== collectionNames.jobs) return 0;
  const pipelines: unknown[] = updates ? updates.map(({ u }: Document) => u) : [update];
  return pipelines.filter((pipeline) => JSON.stringify(pipeline).includes('lease.reported')).length;
}

/** Returns the commands that only store reports of jobs. */
export function reportsAlone(commands: readonly CommandStartedEvent[]): readonly CommandStartedEvent[] {
  return commands.filter(({ command }) => {
    const { updates = [] } = command;
    return updates.length > 0 && reportsIn(command) === updates.length && !isSettling(command);
  });
}

/** Returns whether a command ends attempts. */
function isSettling({ updates }: Document): boolean {
  return JSON.stringify(updates).includes('lastToken');
}
