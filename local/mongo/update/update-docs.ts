import type { ObjectId } from 'bson';
import { equal } from '../bson/compare.js';
import type { Doc } from '../bson/decode.js';
import { forgetPositions } from '../bson/path.js';
import { isDoc } from '../bson/type-of.js';
import { requireFits, requireValidId } from '../command/write.js';
import { CommandError } from '../errors.js';
import { findMatches } from '../plan/find-matches.js';
import { compileFilter, type Environment } from '../query/evaluation.js';
import { decodeStored, store } from '../storage/stored.js';
import type { View } from '../storage/view.js';
import { compileUpdate, type Update } from './compile-update.js';
import { upsertedDoc } from './upsert.js';

/** An update with its filter and its change. */
export interface UpdateSpec {
  readonly filter: Doc;
  readonly update: unknown;
  readonly arrayFilters: readonly unknown[] | undefined;
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly hint: unknown;
  readonly sort: Doc;
  readonly environment: Environment;
  readonly makeId: () => ObjectId;
}

/** The outcome of an update. `before` and `after` are versions of the last document that it changed. */
export interface UpdateOutcome {
  readonly matched: number;
  readonly modified: number;
  readonly upserted: Doc | undefined;
  readonly before: Doc | undefined;
  readonly after: Doc | undefined;
}

/**
 * Maximum number of matches that are kept decoded. All matches are found before the first is changed, and more decoded
 * documents would fill the memory.
 */
const MAX_DECODED = 1000;

/** Changes the documents that match. Inserts one if none does and `upsert` is set. */
export function updateDocs(view: View, spec: UpdateSpec): UpdateOutcome {
  const update = compileUpdate(spec.update, spec.arrayFilters, spec.environment);
  if (spec.multi && update.kind === 'replacement') {
    throw new CommandError(9, 'multi update is not supported for replacement-style update');
  }
  const found = Array.from(
    findMatches(view, { ...spec, skip: 0, limit: spec.multi ? 0 : 1 }),
    ({ id, stored, doc }, index) => ({ id, stored, doc: index < MAX_DECODED ? doc : undefined }),
  );
  if (found.length === 0) return spec.upsert ? insertNew(view, spec, update) : nothing;
  const findPositions = update.isPositional ? compileFilter(spec.filter, spec.environment) : undefined;
  let modified = 0;
  let before: Doc | undefined;
  let after: Doc | undefined;
  for (const { id, stored, doc } of found) {
    before = doc ?? decodeStored(stored);
    forgetPositions();
    findPositions?.(before);
    after = idFirst(update.apply(update.kind === 'operators' ? decodeStored(stored) : before, false));
    if (replaceOne(view, id, stored, before, after)) modified += 1;
  }
  return { matched: found.length, modified, upserted: undefined, before, after };
}

const nothing: UpdateOutcome = {
  matched: 0,
  modified: 0,
  upserted: undefined,
  before: undefined,
  after: undefined,
};

function replaceOne(view: View, id: number, stored: string, before: Doc, after: Doc): boolean {
  if (!equal(before._id, after._id)) {
    throw new CommandError(
      66,
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
  const next = store(after);
  if (next === stored) return false;
  requireFits(next);
  view.replace(id, next, before, after);
  return true;
}

function insertNew(view: View, spec: UpdateSpec, update: Update): UpdateOutcome {
  const upserted = upsertedDoc(spec.filter, update, spec.makeId);
  requireValidId(upserted._id);
  const stored = store(upserted);
  requireFits(stored);
  view.insert(stored, upserted);
  return { ...nothing, upserted, after: upserted };
}

function idFirst(doc: Doc): Doc {
  if (!isDoc(doc) || !Object.hasOwn(doc, '_id') || Object.keys(doc)[0] === '_id') return doc;
  const { _id, ...fields } = doc;
  return { _id, ...fields };
}
