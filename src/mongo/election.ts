/**
 * How long a replica set may be without a primary after it lost one: its members notice within 10 s
 * (`electionTimeoutMillis`), and elect another within two more. Who waits less sees each failover as an error.
 */
export const ELECTION_MS = 13_000;
