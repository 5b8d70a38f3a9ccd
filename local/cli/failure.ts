import type { Issue } from '../../src/index.js';
import type { ExitCode } from './exit-code.js';

export interface FailureDetails extends ErrorOptions {
  /** A stable code for scripts that read the errors of `--json`. */
  readonly code?: string;
  /** Each fault of the request, and the field that has it. */
  readonly issues?: readonly Issue[];
}

/** An error that ends a command. A person sees only its message. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly issues: readonly Issue[];

  /** @param exitCode of the process */
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
