import { toFailure } from '../to-failure.js';

/** What a check came to. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly detail: string;
  /** What to do; null when nothing is wrong. */
  readonly fix: string | null;
}

export function ok(check: string, detail: string): Finding {
  return { check, status: 'ok', detail, fix: null };
}

/** Something that may be meant so, or does no harm yet. */
export function warning(check: string, detail: string, fix: string): Finding {
  return { check, status: 'warning', detail, fix };
}

/** Something that keeps jobs from being run, or is about to. */
export function failure(check: string, detail: string, fix: string): Finding {
  return { check, status: 'failure', detail, fix };
}

/** What makes the indexes. */
export const INDEXES_FIX = 'Run remote-processor ensure-indexes';

/** What a check finds; one that cannot be made is a finding, too. */
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
