/**
 * A process that schedules again and again, and kills itself as `kill -9` would. See `setting.ts` for its argument.
 * Prints the session of each transaction on a line. Does not have the jobs' code.
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

// The session is printed before anything can kill the process, so that the test can end its transaction.
client.on('commandStarted', ({ command }) => {
  if (command.startTransaction) writeSync(1, `${EJSON.stringify(command.lsid)}\n`);
});
let left = survives;
for (const boundary of boundaries)
  client.on(boundary, () => {
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    left -= 1;
  });
// The test holds the other end of the pipe for as long as the test lives.
process.stdin.resume().once('end', () => process.exit());
for (;;) {
  await processor.scheduleDueItems({ ahead: '2s' });
  await sleep(20);
}
