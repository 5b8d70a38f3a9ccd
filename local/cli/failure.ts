import type { Issue } from '../../src/index.js';
import type { ExitCode } from './exit-code.js';

export interface FailureDetails extends ErrorOptions {
  /** Stable: for scripts that read the errors of `--json`. */
  readonly code?: string;
  /** Everything that is wrong, and where. */
  readonly issues?: readonly Issue[];
}

/** What ends a command: its message is all that a person sees of it. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly issues: readonly Issue[];

  /** @param exitCode what the process ends with */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    { code = 'failed', issues = [], ...options }: FailureDetails = {},
  ) {
    super(message, options);
    this.code = code;
    this.issues = issues;
  }
}
