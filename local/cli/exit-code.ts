/** What the exit code of `remote-processor` tells a script; README.md has the same list. */
export const exitCode = {
  ok: 0,
  /**
   * It was tried and did not work: a conflict, a check of `doctor` that failed, output that cannot be written, an error
   * nobody foresaw.
   */
  failed: 1,
  /** What was asked cannot be: an unknown option, an input that its job refuses. */
  usage: 2,
  notFound: 3,
  /** Of access: no API key, an unknown one, or one whose role does not allow it. */
  refused: 4,
  /** The database, or the deployment of `--url`, does not answer as one. */
  unreachable: 5,
  /** The job that was waited for ended in error, was cancelled, was not settled in time, or is gone. */
  notCompleted: 6,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
