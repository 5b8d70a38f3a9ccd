import type { AuditChange, RemoteProcessor } from '../../../src/index.js';
import { withinTime } from '../../../src/mongo/within-time.js';
import { toSchedulerView } from '../scheduler-view.js';

/** The fields that people set, with their values. */
type Facts = Readonly<Record<string, unknown>>;

/** Reads the facts of something. Empty if it does not exist. */
type ReadFacts = (processor: RemoteProcessor, id: string) => Promise<Facts>;

/** Fields whose values may be secret, or belong to others. The log tells that they were changed, without the values. */
const secret: ReadonlySet<string> = new Set(['input', 'jobOptions']);

/** Fields that the log leaves out. They change without a person, or never. */
const untold: ReadonlySet<string> = new Set([
  ...['id', 'ended', 'nextCallTime', 'lastCallTime', 'lastJobId', 'occurrences', 'skipped'],
  ...['declaredBy', 'version', 'leftOut'],
]);

const readers: Readonly<Record<string, ReadFacts>> = {
  schedule: async (processor, id) => {
    const item = await processor.getScheduler(id);
    if (!item) return {};
    const view = Object.entries(toSchedulerView(item));
    return Object.fromEntries(view.filter(([name]) => !untold.has(name)));
  },
  limit: async (processor, key) => {
    const { max, paused, breaker } = await processor.limits.get(key);
    return { max, paused, breaker: breaker?.state };
  },
};

/** The readers of facts, by action. Actions that only change a state have none. */
const readersOfActions: Readonly<Record<string, ReadFacts>> = {
  updateJob: async (processor, id) => {
    const { queue, priority, maxRetries, retryDelay, runAt } = (await processor.getJob(id)) ?? {};
    return { queue, priority, maxRetries, retryDelay, runAt };
  },
  startOperation: async (processor, id) => {
    const { action, filter, spreadMs, to, priority } = await processor.operations.get(id);
    return { action, ...filter, spreadMs, to, priority };
  },
};

/** How long a change waits for the reading of the earlier facts, in milliseconds. */
const READ_MS = 1_000;

/**
 * Returns the fields of a target that people have set. Empty if the log tells none of them. Undefined if they cannot be
 * read, since a change must not wait for that.
 */
export async function factsOf(
  processor: RemoteProcessor,
  action: string,
  target: string | undefined,
): Promise<Facts | undefined> {
  const [, kind = '', id = ''] = /^([a-z]+):(.+)$/s.exec(target ?? '') ?? [];
  const read = readersOfActions[action] ?? readers[kind];
  if (!read || id === '') return {};
  return withinTime(READ_MS, read(processor, id)).catch(() => undefined);
}

/** Returns the fields that differ, with their values unless those are secret. */
export function changesBetween(before: Facts | undefined, after: Facts | undefined): AuditChange[] {
  if (!before || !after) return [];
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields.flatMap((field) => {
    const [was, is] = [textOf(before[field]), textOf(after[field])];
    if (was === is) return [];
    if (secret.has(field)) return [{ field }];
    return [{ field, ...(was !== undefined && { before: was }), ...(is !== undefined && { after: is }) }];
  });
}

/** Returns a value as text, or undefined if there is none. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value).replace(/^"(.*)"$/, '$1');
}
