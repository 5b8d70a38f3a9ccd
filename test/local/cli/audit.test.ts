import { hostname, userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { useDatabase } from '../../database.js';
import { echo } from '../../jobs.js';
import { useCommandLine } from './command-line.js';

const database = useDatabase();
const { run, json } = useCommandLine(database);

test('audit lists who changed what: the user and machine on a database, the key on a deployment', async () => {
  await database.processor().addJobFactory(echo);
  expect((await run(['audit'])).out).toBe('Nobody changed anything in the last 90 days.\n');
  await run(['limits', 'set', 'import=a', '3']);
  await run(['limits', 'set', 'import=a', '5'], { on: 'database' });
  const added = await run(['add', 'echo', '{}', '--delay', '1h', '--json'], { on: 'database' });

  const id = JSON.parse(added.out).id;
  const me = `${userInfo().username}@${hostname()}`;
  expect(await json(['audit'])).toMatchObject({
    entries: [
      { who: me, via: 'cli', action: 'addJob', targets: [`job:${id}`] },
      { who: me, via: 'cli', address: null, changes: [{ field: 'max', before: '3', after: '5' }] },
      { who: 'admin', via: 'api', action: 'setLimit' },
    ],
  });
  expect((await run(['audit', '--target', 'limit:import=a', '--who', 'admin'])).out).toMatch(
    /^ *WHEN +WHO +ACTION +TO WHAT +CHANGES +OUTCOME +FROM\n.* admin +setLimit +limit:import=a +max: 3 +done +api 127.0.0.1\n$/,
  );
});
