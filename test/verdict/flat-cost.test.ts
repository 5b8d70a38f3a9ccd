import { expect, test } from 'vitest';
import { fill } from '../bench/backlogs.js';
import { useDatabase } from '../database.js';
import { examined } from '../queue/examined.js';

const database = useDatabase({ monitorCommands: true });

/** What a verdict asks and examines. */
async function cost() {
  const processor = database.processor();
  const commands = await database.commandsDuring(() => processor.verdict());
  const searches = await examined(database.db, commands);
  const sum = (of: 'keys' | 'documents') => searches.reduce((all, search) => all + search[of], 0);
  return { commands: commands.length, keys: sum('keys'), documents: sum('documents') };
}

test('a verdict costs the same with 500 and with 8,000 jobs in as many queues', async () => {
  await database.processor().verdict(); // Looks whether the collections are ours.
  const costs = [];
  for (const count of [500, 7500]) {
    await fill(
      database.db,
      { name: '', change: (n, now) => ({ queue: `queue ${n}`, runAt: now, queued: now }) },
      count,
    );
    costs.push(await cost());
  }
  expect(costs[1]).toEqual(costs[0]);
  expect(costs[0]).toMatchObject({ commands: 11, documents: 0 });
});
