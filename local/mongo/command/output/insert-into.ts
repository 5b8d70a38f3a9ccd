import type { Doc } from '../../bson/decode.js';
import { store } from '../../storage/stored.js';
import type { View } from '../../storage/view.js';
import type { CommandContext } from '../command.js';
import { requireFits, requireValidId } from '../write.js';

/** Adds a result of a pipeline to a collection. Makes an `_id` if it has none. */
export function insertInto(view: View, doc: Doc, { server }: CommandContext): void {
  const { _id = server.newObjectId(), ...fields } = doc;
  requireValidId(_id);
  const complete = { _id, ...fields };
  const stored = store(complete);
  requireFits(stored);
  view.insert(stored, complete);
}
