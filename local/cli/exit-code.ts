/** The exit codes that `remote-processor` gives a script. docs/cli.md has the same list. */
export const exitCode = {
  ok: 0,
  /**
   * The command was tried and failed: a conflict, a failed check of `doctor`, output that cannot be written, an
   * unforeseen error.
   */
  failed: 1,
  /** The request is invalid: an unknown option, an input that its job refuses. */
  usage: 2,
  notFound: 3,
  /** Access was refused: no API key, an unknown one, or one whose role does not allow it. */
  refused: 4,
  /** The database or the deployment of `--url` does not answer, or the answer is not a deployment's. */
  unreachable: 5,
  /** The job that was waited for ended in error, was cancelled, was not settled in time, or is gone. */
  notCompleted: 6,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
