/**
 * How long a replica set may be without a primary. Members notice the loss within 10 s (`electionTimeoutMillis`) and
 * elect another primary within 2 more. A caller that waits less sees each failover as an error.
 */
export const ELECTION_MS = 13_000;
