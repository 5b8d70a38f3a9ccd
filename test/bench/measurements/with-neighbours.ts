import { randomBytes } from 'node:crypto';
import { type Bench, withJobs } from '../bench.js';
import { type NeighbourName, neighbourNames, OURS } from '../contenders/contender.js';
import { participants } from '../contenders/index.js';
import type { TaskOptions } from '../run-task.js';
import type { NeighbourServer } from '../servers/neighbour-server.js';
import { postgres } from '../servers/postgres.js';
import { redis } from '../servers/redis.js';

/** This project or a library on another database. */
export type Neighbour = typeof OURS | NeighbourName;

/** The addresses of the participants' servers. This project works on the MongoDB of all other measurements. */
export type Places = ReadonlyMap<Neighbour, string>;

const servers: Readonly<Record<NeighbourName, NeighbourServer>> = {
  bullmq: redis,
  'graphile-worker': postgres,
  'pg-boss': postgres,
};

/** Starts the servers that are installed, and calls `measure` while all of them run. */
export function withNeighbours(bench: Bench, measure: (places: Places) => Promise<void>): Promise<void> {
  return withServers(bench, neighbourNames, new Map([[OURS, bench.server.uri]]), measure);
}

/** Starts the servers, nested: each runs until its callback returns, and the innermost callback measures. */
async function withServers(
  bench: Bench,
  [name, ...rest]: readonly NeighbourName[],
  places: Places,
  measure: (places: Places) => Promise<void>,
): Promise<void> {
  if (name === undefined) return measure(places);
  return withServer(bench, participants[name].title, servers[name], (uri) =>
    withServers(bench, rest, uri === undefined ? places : new Map([...places, [name, uri]]), measure),
  );
}

/** Calls `use` while a server runs for a library. If it is not installed, tells that, and calls `use` without its address. */
export async function withServer(
  bench: Bench,
  library: string,
  server: NeighbourServer,
  use: (uri: string | undefined) => Promise<void>,
): Promise<void> {
  const command = await server.find();
  if (command !== undefined) return server.run(command, use);
  const line = `${library} is left out: ${server.title} is not installed (apt-get install ${server.debianPackage}).`;
  if (!bench.results.leftOut.includes(line)) bench.results.leftOut.push(line);
  bench.say(line);
  return use(undefined);
}

/** Calls `use` with an empty database. A neighbour's database ends with its server. */
export async function withPlace<Result>(
  bench: Bench,
  contender: Neighbour,
  uri: string,
  use: (place: Pick<TaskOptions, 'db' | 'uri'>) => Promise<Result>,
): Promise<Result> {
  if (contender === OURS) return withJobs(bench, contender, 0, (db) => use({ db }));
  return use({ uri, db: { databaseName: `bench_${randomBytes(6).toString('hex')}` } });
}
