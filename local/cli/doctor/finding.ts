import { toFailure } from '../to-failure.js';

/** The result of a check. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly detail: string;
  /** The remedy. Null when nothing is wrong. */
  readonly fix: string | null;
}

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail, fix: null };
}

/** Returns a finding about a state that may be intended, or does no harm yet. */
export function warning(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warning', detail, fix };
}

/** Returns a finding about a fault that keeps jobs from running, or soon will. */
export function failure(check: string, detail: string, fix: string): Finding {
  return { check, status: 'failure', detail, fix };
}

/** The remedy for missing indexes. */
export const INDEXES_FIX = 'Run remote-processor ensure-indexes';

/** Returns the findings of a check. An error of the check becomes a finding, too. */
export async function examine(
  check: string,
  fix: string,
  find: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await find()].flat();
  } catch (error) {
    const { code, message } = await toFailure(error);
    return [failure(check, message, code === 'index_missing' ? INDEXES_FIX : fix)];
  }
}
