import type { AlertFormat } from '../alert-format.js';
import { numberOf } from '../verdict/finding.js';
import type { ChangedFinding } from './compare-verdict.js';

/** Content of an alert. */
export interface AlertMessage {
  /** Name of the processor that looked. */
  readonly processor: string;
  /** When it looked, by the database's clock. */
  readonly at: Date;
  readonly changes: readonly ChangedFinding[];
  /** Number of findings of each severity now. */
  readonly failures: number;
  readonly warnings: number;
}

/** Maximum number of changes in one alert. Slack shows up to about 40,000 characters. */
const MAX_CHANGES = 20;

/** Returns the body of an alert. It holds names, counts and normalised messages, but no payload of a job. */
export function alertBody(message: AlertMessage, format: AlertFormat): string {
  return JSON.stringify(format === 'slack' ? toSlack(message) : toPlain(message));
}

/** Returns the event in the form of Standard Webhooks: a type, a moment, and data. */
function toPlain({ processor, at, changes, failures, warnings }: AlertMessage) {
  return {
    type: 'verdict.changed',
    timestamp: at.toISOString(),
    data: {
      processor,
      failures,
      warnings,
      changes: changes.slice(0, MAX_CHANGES).map(({ change, finding, advice = null }) => ({
        change,
        code: finding.code,
        severity: finding.severity,
        about: finding.about,
        text: finding.text,
        advice,
        since: finding.since?.toISOString() ?? null,
      })),
      more: Math.max(0, changes.length - MAX_CHANGES),
    },
  };
}

function toSlack({ processor, changes, failures, warnings }: AlertMessage) {
  const lines = changes.slice(0, MAX_CHANGES).map(toLine);
  const more = changes.length - MAX_CHANGES;
  const now =
    failures + warnings === 0
      ? 'All well now.'
      : `Now: ${numberOf(failures, 'failure')}, ${numberOf(warnings, 'warning')}.`;
  return {
    text: [...lines, ...(more > 0 ? [`and ${more} more`] : []), `${escaped(processor)}: ${now}`].join('\n'),
  };
}

function toLine({ change, finding: { text, severity, since }, advice }: ChangedFinding): string {
  if (change === 'over') return `:white_check_mark: over: ${escaped(text)}`;
  const sign = severity === 'failure' ? ':red_circle:' : ':warning:';
  const from = since ? ` (since ${since.toISOString().slice(0, 16).replace('T', ' ')} UTC)` : '';
  const worse = change === 'worse' ? 'worse: ' : '';
  return `${sign} ${worse}*${escaped(text)}*${from}${advice === undefined ? '' : `\n${escaped(advice)}`}`;
}

/** Escapes characters that Slack would read as a link or a mention. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
