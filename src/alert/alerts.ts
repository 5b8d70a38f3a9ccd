import { randomUUID } from 'node:crypto';
import type { Collection } from 'mongodb';
import type { Logger } from '../log.js';
import { byId } from '../mongo/by-index.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import { withinTime } from '../mongo/within-time.js';
import type { Verdict } from '../verdict/find-verdict.js';
import { type AlertDocument, VERDICT_ID, type WatchedFinding } from './alert-document.js';
import { alertBody } from './alert-message.js';
import type { AlertsOptions } from './alerts-options.js';
import { type Comparison, compareVerdict } from './compare-verdict.js';
import { sendAlert } from './send-alert.js';

/** Interval of the looks. A look happens once per invocation of the scheduler, which is not exact to the second. */
const LOOK_EVERY_MS = 50_000;

/** How long the database may take to judge. */
const MAX_JUDGE_MS = 15_000;

/** Maximum number of findings that are remembered. Each rule has at most 20. */
const MAX_WATCHED = 200;

/** Parts that alerts need. */
interface AlertsContext {
  readonly name: string;
  readonly options: AlertsOptions;
  readonly alerts: () => Promise<Collection<AlertDocument>>;
  readonly judge: () => Promise<Verdict>;
  readonly log: Logger;
}

/**
 * Tells a webhook when the verdict changes.
 *
 * Any number of processes may look. One of them looks each minute. It writes the moment of its look, judges, and writes its
 * findings if nobody has looked since. Then it sends the alert. So a change is sent at most once. The change is lost if the
 * process ends between the write and the send, or if the receiver cannot be reached.
 */
export class Alerts {
  #looksAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly context: AlertsContext) {}

  /**
   * Judges and sends the changes, unless somebody judged within the last minute. Returns how many changes were sent. Never
   * rejects.
   */
  async tell(): Promise<number> {
    if (performance.now() < this.#looksAt) return 0;
    this.#looksAt = performance.now() + LOOK_EVERY_MS;
    try {
      return await this.#tell();
    } catch (error) {
      this.context.log.error('An alert could not be sent', { error: messageOf(error) });
      return 0;
    }
  }

  async #tell(): Promise<number> {
    const { name, options, judge, log } = this.context;
    const alerts = await this.context.alerts();
    const look = await takeTurn(alerts);
    if (!look) return 0;
    const { at, findings } = await withinTime(MAX_JUDGE_MS, judge());
    const compared = compareVerdict(look.findings ?? [], findings);
    const isKept = await keep(alerts, look, compared);
    if (!isKept || compared.changes.length === 0) return 0;
    const failures = findings.filter(({ severity }) => severity === 'failure').length;
    const message = { processor: name, at, failures, warnings: findings.length - failures };
    const body = alertBody({ ...message, changes: compared.changes }, options.format ?? 'plain');
    await sendAlert(options, `alert_${randomUUID()}`, body);
    log.info('An alert was sent', { changes: compared.changes.length });
    return compared.changes.length;
  }
}

/** Records that this process looks now. Returns the document, or undefined if somebody looked a moment ago. */
async function takeTurn(alerts: Collection<AlertDocument>): Promise<AlertDocument | undefined> {
  const look = randomUUID();
  const isDue = { $lte: [{ $ifNull: ['$looked', new Date(0)] }, { $subtract: ['$$NOW', LOOK_EVERY_MS] }] };
  const ifDue = (value: unknown, field: string) => ({ $cond: [isDue, value, field] });
  const update = [{ $set: { look: ifDue(look, '$look'), looked: ifDue('$$NOW', '$looked') } }];
  const options = { upsert: true, returnDocument: 'after', ...byId } as const;
  try {
    const after = await alerts.findOneAndUpdate({ _id: VERDICT_ID }, update, options);
    return after?.look === look ? after : undefined;
  } catch (error) {
    if (isDuplicateKey(error)) return undefined; // Another process made the document at the same moment.
    throw error;
  }
}

/** Writes the findings, unless somebody has looked since. Returns whether they were written. */
async function keep(
  alerts: Collection<AlertDocument>,
  { look, findings: before = [] }: AlertDocument,
  { watched }: Comparison,
): Promise<boolean> {
  if (before.length === 0 && watched.length === 0) return true;
  const findings: readonly WatchedFinding[] = watched.slice(0, MAX_WATCHED);
  const { matchedCount } = await alerts.updateOne({ _id: VERDICT_ID, look }, { $set: { findings } }, byId);
  return matchedCount > 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}
