/**
 * Measures how late scheduled jobs start, for items that are due every 10 seconds under the local loops. Takes the
 * dates in MongoDB (`started` minus the occurrence), and prints one line.
 *
 * npx tsx test/scheduler/measure-lateness.ts [--items 10] [--occurrences 100] [--tick 60s]
 */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { startEmbeddedMongo } from '../../local/index.js';
import { LocalProcessor } from '../../local/processor.js';
import { silent } from '../database.js';
import { echo } from '../jobs.js';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '10' },
    occurrences: { type: 'string', default: '100' },
    tick: { type: 'string', default: '60s' },
  },
});
const occurrences = Number(values.occurrences);
const mongo = process.env.MONGODB_URI === undefined ? await startEmbeddedMongo() : undefined;
const client = new MongoClient(mongo?.uri ?? process.env.MONGODB_URI ?? '');
const processor = new LocalProcessor({
  db: client.db(`lateness-${process.pid}`),
  scheduleInterval: values.tick,
  log: silent,
});
await processor.ensureIndexes();
await processor.addJobFactory(echo);
for (let n = 0; n < Number(values.items); n += 1) {
  await processor.addScheduler({
    type: 'Delay',
    id: `item ${n}`,
    delay: '10s',
    jobName: 'echo',
    input: {},
    active: true,
  });
}
processor.startProcessor();
processor.startScheduler();
const completed = () => processor.getJobs({ status: 'completed', limit: 1000 });
while ((await completed()).length < occurrences) await wait(1000);
const lateness = (await completed())
  .map(({ started, occurrence }) => Number(started) - Number(occurrence?.at))
  .sort((a, b) => a - b);
const percentile = (share: number) =>
  lateness[Math.min(lateness.length - 1, Math.floor(lateness.length * share))];
console.log(
  `tick ${values.tick}: ${lateness.length} occurrences, lateness in ms: median ${percentile(0.5)}, p99 ${percentile(0.99)}, max ${lateness.at(-1)}`,
);
await processor.stopScheduler();
await processor.stopProcessor();
await client.db(`lateness-${process.pid}`).dropDatabase();
await client.close();
await mongo?.stop();
