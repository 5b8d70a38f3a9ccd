import type { Document, MongoClient } from 'mongodb';
import { z } from 'zod';

/** What commands look at to find what they return or change. */
export interface Examined {
  documents: number;
  keys: number;
}

/**
 * The commands that find and change jobs, and the fields that belong to their statements: all others, such as the
 * session, an explain has no use for. What counts jobs for statistics is not among them: how much that looks at depends
 * on how often it is done.
 */
const statementFields: Readonly<Record<string, readonly string[]>> = {
  find: ['filter', 'sort', 'projection', 'limit', 'skip', 'hint', 'singleBatch'],
  findAndModify: ['query', 'sort', 'update', 'remove', 'new', 'fields', 'upsert', 'hint'],
  update: ['updates'],
  delete: ['deletes'],
};

const replySchema = z.object({
  executionStats: z.object({ totalDocsExamined: z.number(), totalKeysExamined: z.number() }),
});

/** What a command would examine now; nothing for a command that is not among those. */
export async function explain(client: MongoClient, command: Document): Promise<Examined> {
  const [name = ''] = Object.keys(command);
  const fields = statementFields[name];
  const examined: Examined = { documents: 0, keys: 0 };
  if (fields === undefined) return examined;
  const kept = Object.entries(command).filter(([field]) => field === name || fields.includes(field));
  for (const single of oneByOne(name, Object.fromEntries(kept))) {
    const reply = await client
      .db(command.$db)
      .command({ explain: single, verbosity: 'executionStats' }, { promoteLongs: true });
    const { totalDocsExamined, totalKeysExamined } = replySchema.parse(reply).executionStats;
    examined.documents += totalDocsExamined;
    examined.keys += totalKeysExamined;
  }
  return examined;
}

/** Of several statements in one write, each is explained for itself. */
function oneByOne(name: string, command: Document): Document[] {
  const list = name === 'update' ? 'updates' : 'deletes';
  const statements: unknown = command[list];
  if (!Array.isArray(statements)) return [command];
  return statements.map((statement: unknown) => ({ ...command, [list]: [statement] }));
}
