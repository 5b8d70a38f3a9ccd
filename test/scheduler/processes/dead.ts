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

/** What somebody does who dies of it. */
export type Work = keyof typeof works;

/** The dead do not know it, and try again for some seconds: nobody waits for that in between. */
const underWay: Promise<unknown>[] = [];
afterAll(() => Promise.allSettled(underWay));

/**
 * Does `work` until the answer to a statement has come after which it is dead: its connections break, and no statement of
 * it arrives any more. To the database that is a killed process, and it is had without starting one. Between an answer and
 * the next statement the database does not change, so that it can die everywhere. The transaction that it leaves open is
 * aborted, as the server would after a minute.
 *
 * @param survives after how many answers it goes on
 * @returns true when it died, false when it came to its end
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
    // Of none it would end those of everybody.
    if (sessions.length > 0) await client.db('admin').command({ killSessions: sessions });
    await own.close();
    await proxy.close();
  }
}

/** The driver of the dead finds a server, and so does not wait for one when it is closed. */
function onlyHello(command: Document): Passage {
  return 'hello' in command || 'ismaster' in command ? 'deliver' : 'cut';
}
