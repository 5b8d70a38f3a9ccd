import type { Document, MongoClient } from 'mongodb';
import { z } from 'zod';

/** What commands look at to find what they return or change. */
export interface Examined {
  documents: number;
  keys: number;
}

/** The fields of a command that belong to its statement: all others, such as its session, an explain has no use for. */
const statementFields: Readonly<Record<string, readonly string[]>> = {
  find: ['filter', 'sort', 'projection', 'limit', 'skip', 'hint', 'singleBatch'],
  findAndModify: ['query', 'sort', 'update', 'remove', 'new', 'fields', 'upsert', 'hint'],
  update: ['updates'],
  delete: ['deletes'],
  aggregate: ['pipeline', 'cursor', 'hint'],
  count: ['query', 'limit', 'hint'],
  distinct: ['key', 'query'],
};

const statsSchema = z.object({ totalDocsExamined: z.number(), totalKeysExamined: z.number() });
const replySchema = z.union([
  z.object({ executionStats: statsSchema }).transform(({ executionStats }) => executionStats),
  z
    .object({
      stages: z.tuple([z.object({ $cursor: z.object({ executionStats: statsSchema }) })], z.unknown()),
    })
    .transform(({ stages }) => stages[0].$cursor.executionStats),
]);

/** What a command would examine now; nothing for commands that look for no documents. */
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
    const { totalDocsExamined, totalKeysExamined } = replySchema.parse(reply);
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
