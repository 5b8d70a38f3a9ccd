import type { Context } from 'hono';
import type {
  AuditChange,
  AuditOutcome,
  Logger,
  NewAuditEntry,
  RemoteProcessor,
} from '../../../src/index.js';
import { withinTime } from '../../../src/mongo/within-time.js';
import { storableText } from '../../../src/storable-text.js';
import type { Caller } from '../access.js';
import { clientAddress, UNKNOWN } from '../client-address.js';
import { toProblem } from '../failure.js';
import { changesBetween, factsOf } from './facts.js';
import { targetOfPath } from './targets.js';

/** How long an answer waits for the log, in milliseconds. The change was just written, so the database works. */
const RECORD_MS = 3_000;

/** Limits of an entry: the characters of a target and of the name of a field, and the number of changes. */
const MAX_TARGET = 1_000;
const MAX_FIELD = 200;
const MAX_CHANGES = 100;

/** A change that a request asks for. */
export interface RequestedChange {
  /** The name of the operation in the OpenAPI document. */
  readonly action: string;
  /** The things to change, as the request names them. */
  readonly targets: readonly string[];
  /** Whether the request adds something. The answer then tells its path. */
  readonly isAddition?: boolean;
  /** The changes, as far as the request tells them. */
  readonly changes?: readonly AuditChange[];
}

/** The end of a change. */
export interface EndOfChange {
  readonly outcome: AuditOutcome;
  /** The changed things, if the answer tells them. Default: those that the request names. */
  readonly targets?: readonly string[] | undefined;
  /** The changes that the answer tells. */
  readonly changes?: readonly AuditChange[];
}

export interface Recording {
  readonly processor: RemoteProcessor;
  readonly log: Logger;
  readonly caller: Caller;
  readonly via: string;
}

/**
 * Carries out a change, and records it. If it cannot be recorded, it still stands, and its entry is logged.
 *
 * @param next carries it out
 * @param endOf tells how it ended. Returns undefined if there is nothing to record, such as for bad input
 */
export async function recordChange(
  context: Context,
  { processor, log, caller, via }: Recording,
  { action, targets, isAddition = false, changes = [] }: RequestedChange,
  next: () => Promise<void>,
  endOf: () => EndOfChange | undefined,
): Promise<void> {
  const before = await factsOf(processor, action, targets[0]);
  await next();
  const end = endOf();
  if (!end) return;
  const isDone = end.outcome === 'done';
  const added = isDone && isAddition ? targetOfPath(context.res.headers.get('location')) : undefined;
  const all = [...new Set([...(end.targets ?? targets), ...(added === undefined ? [] : [added])])];
  const after = isDone ? await factsOf(processor, action, all[0]) : before;
  const address = clientAddress(context.env);
  const problem = context.error && toProblem(context.error).code;
  const entry: NewAuditEntry = {
    who: caller.id,
    role: caller.role,
    via,
    ...(address !== UNKNOWN && { address }),
    action,
    targets: all,
    changes: [...changes, ...(end.changes ?? []), ...changesBetween(before, after)],
    outcome: end.outcome,
    problem,
  };
  if (problem === 'database_unreachable') return tellMissing(log, entry, problem);
  await record(processor, log, entry);
}

/** Records an entry, or logs it if that fails. Never rejects. */
export async function record(processor: RemoteProcessor, log: Logger, entry: NewAuditEntry): Promise<void> {
  try {
    await withinTime(RECORD_MS, processor.audit.record(fitting(entry)));
  } catch (error) {
    tellMissing(log, entry, String(error));
  }
}

/** Cuts an entry to its limits. Otherwise a sender could make an entry that cannot be stored, and hide a change. */
function fitting({ targets = [], changes = [], ...entry }: NewAuditEntry): NewAuditEntry {
  return {
    ...entry,
    targets: targets.filter((target) => target.length <= MAX_TARGET && /:./s.test(target)),
    changes: changes
      .filter(({ field }) => field !== '' && field.length <= MAX_FIELD)
      .filter((change) => Object.values(change).every((text) => storableText.safeParse(text).success))
      .slice(0, MAX_CHANGES),
  };
}

function tellMissing(log: Logger, entry: NewAuditEntry, error: string): void {
  log.warn('A change is missing in the audit log', { ...entry, error });
}

/** Returns how a change ended, by the status of its answer. Undefined for bad input, which changes nothing. */
export function outcomeOf(status: number): AuditOutcome | undefined {
  if (status < 400) return 'done';
  if (status >= 500) return 'failed';
  return [403, 404, 409, 410].includes(status) ? 'refused' : undefined;
}
