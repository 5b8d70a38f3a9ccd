import type { Db } from 'mongodb';
import type { Bench } from './bench.js';
import { contenders } from './contenders/index.js';

/** Enough queries to know the server's own time to a few microseconds. */
const QUERIES = 5000;

const MIB = 2 ** 20;

/** Measures the embedded server itself: its memory with `waiting` jobs, and its time for a query by id. */
export async function measureServer({ server, results }: Bench, db: Db, waiting: number): Promise<void> {
  const jobs = db.collection(contenders['remote-processor'].storage.collection);
  const ids = await jobs.find({}, { projection: { _id: 1 }, limit: QUERIES }).toArray();
  const before = await server.usage();
  for (const { _id } of ids) await jobs.findOne({ _id });
  const after = await server.usage();
  if (!before || !after || ids.length === 0) return;
  const under = `The embedded server with ${waiting.toLocaleString('en')} jobs`;
  results.add({ under, name: 'memory, MiB' }, 'remote-processor', before.memoryBytes / MIB);
  const queryMs = (after.cpuMs - before.cpuMs) / ids.length;
  results.add(
    { under, name: 'its CPU time for a query by id, ms', decimals: 3 },
    'remote-processor',
    queryMs,
  );
}
