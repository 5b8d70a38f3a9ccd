import type { Document, MongoClient } from 'mongodb';
import { z } from 'zod';

/** The documents and keys that commands examine to find what they return or change. */
export interface Examined {
  documents: number;
  keys: number;
}

/**
 * The commands that find and change jobs, and the fields of their statements. Explain has no use for other fields, such
 * as the session. Commands that count jobs for statistics are left out, because their cost depends on how often they
 * run.
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

/** Returns what a command would examine now, or zeros for a command without such fields. */
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

/** Splits a write into single statements, which are explained one by one. */
function oneByOne(name: string, command: Document): Document[] {
  const list = name === 'update' ? 'updates' : 'deletes';
  const statements: unknown = command[list];
  if (!Array.isArray(statements)) return [command];
  return statements.map((statement: unknown) => ({ ...command, [list]: [statement] }));
}
