import type { VerdictFinding } from '../verdict/finding.js';
import type { WatchedFinding } from './alert-document.js';

/**
 * How many looks in a row must see a finding before an alert tells it. A single look may fall into a deployment or a brief
 * disturbance. A second look costs a minute.
 */
const TOLD_AFTER = 2;

/**
 * How many looks in a row must miss a finding before it is over. A finding that comes and goes within five minutes makes one
 * alert. Telling its end too early is worse than telling it late.
 */
const OVER_AFTER = 5;

/** How a finding has changed since the last alert about it. */
export type AlertChange = 'begun' | 'worse' | 'over';

/** A change to tell. */
export interface ChangedFinding {
  readonly change: AlertChange;
  readonly finding: WatchedFinding;
  /** Undefined once it is over. */
  readonly advice: string | undefined;
}

export interface Comparison {
  /** The findings to remember until the next look. */
  readonly watched: readonly WatchedFinding[];
  readonly changes: readonly ChangedFinding[];
}

/** Compares the findings with those that earlier looks saw and alerts told. */
export function compareVerdict(
  before: readonly WatchedFinding[],
  found: readonly VerdictFinding[],
): Comparison {
  const known = new Map(before.map((one) => [keyOf(one), one]));
  const seen = found.map((finding) => {
    const watched = seenAgain(finding, known.get(keyOf(finding)));
    const change = changeOf(watched);
    return { finding, watched: change ? { ...watched, told: watched.severity } : watched, change };
  });
  const now = new Set(found.map(keyOf));
  const missed = before
    .filter((one) => !now.has(keyOf(one)) && one.told !== undefined)
    .map((one) => ({ ...one, seen: 0, failing: 0, missed: one.missed + 1 }));
  const isOver = (one: WatchedFinding) => one.missed >= OVER_AFTER;
  return {
    watched: [...seen.map(({ watched }) => watched), ...missed.filter((one) => !isOver(one))],
    changes: [
      ...seen.flatMap(({ finding, watched, change }) =>
        change ? [{ change, finding: watched, advice: finding.advice }] : [],
      ),
      ...missed.filter(isOver).map((finding) => ({ change: 'over', finding, advice: undefined }) as const),
    ],
  };
}

/** Returns the key of a finding. Its rule and its subject identify it; its counts do not. */
function keyOf({ code, about: { type, name } }: Pick<VerdictFinding, 'code' | 'about'>): string {
  return `${code} ${type} ${name}`;
}

function seenAgain(
  { code, about, text, severity, since }: VerdictFinding,
  before: WatchedFinding | undefined,
): WatchedFinding {
  const isFailure = severity === 'failure';
  return {
    ...{ code, about, text, severity, missed: 0 },
    ...(since && { since }),
    seen: Math.min((before?.seen ?? 0) + 1, TOLD_AFTER),
    failing: isFailure ? Math.min((before?.failing ?? 0) + 1, TOLD_AFTER) : 0,
    ...(before?.told && { told: before.told }),
  };
}

function changeOf({ told, seen, failing }: WatchedFinding): AlertChange | undefined {
  if (told === undefined) return seen >= TOLD_AFTER ? 'begun' : undefined;
  return told === 'warning' && failing >= TOLD_AFTER ? 'worse' : undefined;
}
