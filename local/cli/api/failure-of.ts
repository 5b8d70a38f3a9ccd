import * as z from 'zod';
import { type ExitCode, exitCode } from '../exit-code.js';
import { CommandFailure } from '../failure.js';

const problemSchema = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string().optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/**
 * Turns an unsuccessful answer into a failure. An answer without a problem document does not come from a deployment.
 */
export function failureOf({ status, headers }: Response, text: string): CommandFailure {
  const { data: problem } = problemSchema.safeParse(jsonOrNothing(text));
  if (!problem) {
    const reason = `It answered ${status}${hint(status, headers)}, not as a Remote Processor does: is --url right?`;
    return new CommandFailure(exitCode.unreachable, reason, { code: 'not_a_deployment' });
  }
  const { code, title, detail = title, issues = [] } = problem;
  if (code === 'route_not_found') {
    const reason = 'The deployment has no such address: is it of an earlier version, or --url not right?';
    return new CommandFailure(exitCode.unreachable, reason, { code });
  }
  const reason = issues.length > 0 ? title : detail;
  const further = status === 401 ? KEY_HINT : hints.get(code);
  const message = further === undefined ? reason : `${reason.replace(/\.$/, '')}. ${further}`;
  return new CommandFailure(exitCodeOf(status), message, { code, issues });
}

const KEY_HINT = 'Is REMOTE_PROCESSOR_API_KEY one of the keys in API_KEYS of the deployment?';

/** Advice to add to a problem, by the problem's code. */
const hints = new Map([['internal_error', 'Without --url, --debug shows it.']]);

/** Returns the exit code for a status. It ignores the problem's code, because codes may be added. */
function exitCodeOf(status: number): ExitCode {
  if ([400, 413, 415, 422].includes(status)) return exitCode.usage;
  if ([401, 403, 429].includes(status)) return exitCode.refused;
  if (status === 404) return exitCode.notFound;
  if ([502, 503, 504].includes(status)) return exitCode.unreachable;
  return exitCode.failed;
}

function hint(status: number, headers: Headers): string {
  const location = headers.get('location');
  return status >= 300 && status < 400 && location !== null ? ` and points to ${location}` : '';
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
