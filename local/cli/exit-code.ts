/** The exit codes that `remote-processor` gives a script. docs/cli.md has the same list. */
export const exitCode = {
  ok: 0,
  /**
   * The command was tried and failed: a conflict, a failed check of `doctor`, output that cannot be written, an
   * unforeseen error.
   */
  failed: 1,
  /** The request is invalid: an unknown option, or an input that the job refuses. */
  usage: 2,
  notFound: 3,
  /** Access was refused: the API key is missing or unknown, or its role does not allow the request. */
  refused: 4,
  /** The database or the deployment of `--url` does not answer, or something else answers. */
  unreachable: 5,
  /** The command waited for a job that failed, was cancelled, did not settle in time, or is gone. */
  notCompleted: 6,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
