/** A database that a neighbour works on: one of its own for a run of the benchmark. */
export interface NeighbourServer {
  readonly title: string;
  /** How to install it on Debian. */
  readonly debianPackage: string;
  /** The path of its program; undefined when it is not installed. */
  find(): Promise<string | undefined>;
  /** Calls `work` with its address while it runs. */
  run<Result>(command: string, work: (uri: string) => Promise<Result>): Promise<Result>;
}
