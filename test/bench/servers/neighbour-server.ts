/** A database for a neighbour, started for a run of the benchmark. */
export interface NeighbourServer {
  readonly title: string;
  /** The package that installs it on Debian. */
  readonly debianPackage: string;
  /** Returns the path of its program. Undefined when it is not installed. */
  find(): Promise<string | undefined>;
  /** Calls `work` with its address while it runs. */
  run<Result>(command: string, work: (uri: string) => Promise<Result>): Promise<Result>;
}
