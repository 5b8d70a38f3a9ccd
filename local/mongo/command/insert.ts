import { type Doc, decode } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import { store, storeBytes } from '../storage/stored.js';
import { type Command, type CommandContext, collectionName } from './command.js';
import { listOf } from './fields.js';
import {
  once,
  requireFits,
  requireStatements,
  requireValidId,
  runStatement,
  runStatements,
  statementId,
} from './write.js';

/** `insert` stores documents as they came, with `_id` moved to the front. */
export const insert: Command = {
  fields: { 'documents!': 'array', ordered: 'bool', bypassDocumentValidation: 'bool' },
  transactional: true,
  run: async (context) => {
    const documents = listOf(context.body, 'documents');
    requireStatements(documents);
    const collection = collectionName(context, 'insert');
    let n = 0;
    const retried: number[] = [];
    const writeErrors = await runStatements(context, documents, async (bytes, i) => {
      const { repeated } = await once(context, statementId(context, i), () =>
        insertOne(context, collection, bytes),
      );
      n += 1;
      if (repeated) retried.push(statementId(context, i));
    });
    return {
      n,
      ...(writeErrors.length > 0 && { writeErrors }),
      ...(retried.length > 0 && { retriedStmtIds: retried }),
    };
  },
};

async function insertOne(context: CommandContext, collection: string, bytes: unknown): Promise<void> {
  if (!(bytes instanceof Uint8Array)) throw new CommandError(14, 'documents must be objects');
  const { doc, stored } = withId(bytes, () => context.server.newObjectId());
  requireFits(stored);
  await runStatement(context, collection, (view) => view.insert(stored, doc));
}

/** Returns a document with `_id` at its front, both decoded and as it will be stored. */
function withId(bytes: Uint8Array, makeId: () => unknown): { doc: Doc; stored: string } {
  const doc = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  requireValidId(Object.hasOwn(doc, '_id') ? doc._id : null);
  if (beginsWithId(bytes)) return { doc, stored: storeBytes(bytes) };
  const { _id = makeId(), ...fields } = doc;
  const complete = { _id, ...fields };
  return { doc: complete, stored: store(complete) };
}

/** Returns whether the first field is `_id`. The field's name follows four bytes of size and one of type. */
function beginsWithId(bytes: Uint8Array): boolean {
  return bytes[5] === 0x5f && bytes[6] === 0x69 && bytes[7] === 0x64 && bytes[8] === 0;
}
