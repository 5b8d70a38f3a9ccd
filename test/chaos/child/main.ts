/** A process of the chaos suite: a worker, a scheduler or a producer. See `setting.ts` for its argument. */
import './skewed-clock.js';
import { MongoClient } from 'mongodb';
import { LocalProcessor } from '../../../local/processor.js';
import { silent } from '../silent.js';
import { Ledger } from './ledger.js';
import { produce } from './producer.js';
import { schedule } from './scheduler.js';
import { type Setting, settingSchema } from './setting.js';
import { work } from './worker.js';

const setting: Setting = settingSchema.parse(JSON.parse(process.argv[2] ?? ''));

/** Timeouts so short that a process that was cut off reconnects during the run. */
const impatient = {
  directConnection: true,
  serverSelectionTimeoutMS: 2000,
  connectTimeoutMS: 1000,
  socketTimeoutMS: 4000,
  waitQueueTimeoutMS: 3000,
  heartbeatFrequencyMS: 500,
};

/** At every third start a worker runs one job at a time, because it then claims in another way. */
const maxThreads = setting.start % 3 === 2 ? 1 : 5;

const direct = await new MongoClient(setting.directUri).connect();
const client = new MongoClient(setting.uri, impatient);
const ledger = new Ledger(direct.db(setting.databaseName), setting.name);
const processor = new LocalProcessor({
  db: client.db(setting.databaseName),
  name: setting.name,
  log: silent,
  maxThreads,
  lease: setting.leaseMs,
  pollInterval: 50,
  scheduleInterval: 150,
});
// The suite holds the other end of the pipe for as long as the suite lives.
process.stdin.resume().once('end', () => process.exit());
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

const roles = { worker: work, scheduler: schedule, producer: produce };
await roles[setting.role]({ setting, processor, ledger, stop: stop.signal });
process.exit(); // A job that heeds no signal would keep the process alive.
