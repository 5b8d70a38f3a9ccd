import { type Document, MongoClient } from 'mongodb';
import { afterAll } from 'vitest';
import { RemoteProcessor } from '../../../src/index.js';
import { type Passage, TcpProxy } from '../../chaos/tcp-proxy.js';
import { silent, type TestDatabase } from '../../database.js';
import { declaredLater } from './declared.js';

const works = {
  tick: (processor: RemoteProcessor) => processor.scheduleDueItems({ ahead: '80m' }),
  update: (processor: RemoteProcessor) => processor.updateScheduler('tick', { input: 'new' }),
  remove: (processor: RemoteProcessor) => processor.removeScheduler('tick'),
  sync: (processor: RemoteProcessor) => processor.syncSchedulers(declaredLater),
};

/** The work during which the processor dies. */
export type Work = keyof typeof works;

/**
 * The work of dead processors, which do not know that they are dead and retry for some seconds. Only the end of the
 * tests waits for it.
 */
const underWay: Promise<unknown>[] = [];
afterAll(() => Promise.allSettled(underWay));

/**
 * Does `work`, and dies at the answer to a statement: its connections break, and none of its statements arrives any
 * more. The database sees a killed process, without the cost of starting one. Between an answer and the next statement
 * the database does not change, so that every place to die is covered. Aborts the open transaction, as the server would
 * after a minute.
 *
 * @param survives the number of answers before the one at which it dies
 * @returns true if it died, false if the work was done first
 */
export async function runUntilDead(
  { uri, name, client }: TestDatabase,
  work: Work,
  survives: number,
): Promise<boolean> {
  const { hostname, port } = new URL(uri);
  const proxy = await TcpProxy.start({ host: hostname, port: Number(port) });
  const own = new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`, {
    monitorCommands: true,
  });
  const sessions: Document[] = [];
  own.on('commandStarted', ({ command }) => {
    if (command.startTransaction) sessions.push(command.lsid);
  });
  let answers = 0;
  const died = new Promise<true>((resolve) => {
    own.on('commandSucceeded', () => {
      answers += 1;
      if (answers <= survives) return;
      proxy.judgeBy(onlyHello);
      proxy.cut();
      resolve(true);
    });
  });
  const working = works[work](new RemoteProcessor({ db: own.db(name), log: silent }));
  underWay.push(working);
  try {
    return await Promise.race([died, working.then(() => false)]);
  } finally {
    // Without ids the command would end everybody's sessions.
    if (sessions.length > 0) await client.db('admin').command({ killSessions: sessions });
    await own.close();
    await proxy.close();
  }
}

/** Lets a dead processor's driver find a server, so that the driver does not wait for one when it is closed. */
function onlyHello(command: Document): Passage {
  return 'hello' in command || 'ismaster' in command ? 'deliver' : 'cut';
}
