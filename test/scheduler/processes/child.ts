/**
 * A process that schedules, tick after tick, and kills itself as `kill -9` would: see `setting.ts` for its argument. It
 * prints a line per transaction, its session. It has no code of jobs.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EJSON } from 'bson';
import { MongoClient } from 'mongodb';
import { RemoteProcessor } from '../../../src/index.js';
import { silent } from '../../chaos/silent.js';
import { settingSchema } from './setting.js';

const { uri, databaseName, survives, boundaries } = settingSchema.parse(JSON.parse(process.argv[2] ?? ''));
const client = await new MongoClient(uri, { monitorCommands: true }).connect();
const processor = new RemoteProcessor({ db: client.db(databaseName), log: silent });

// Told before anything can kill it: the test ends what it leaves.
client.on('commandStarted', ({ command }) => {
  if (command.startTransaction) writeSync(1, `${EJSON.stringify(command.lsid)}\n`);
});
let left = survives;
for (const boundary of boundaries)
  client.on(boundary, () => {
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    left -= 1;
  });
// The test holds the other end for as long as it lives.
process.stdin.resume().once('end', () => process.exit());
for (;;) {
  await processor.scheduleDueItems({ ahead: '2s' });
  await sleep(20);
}
