import type { Document } from 'mongodb';

/** Name that no document has as a field. */
const BEFORE = '_beforeUpsert';

/**
 * Returns the pipeline of an upsert by `_id` that leaves a document of another application byte for byte as it is.
 *
 * @param ourField field that all our documents have. Missing in the returned document if that is foreign
 */
export function unlessForeign(stages: readonly Document[], ourField: string): Document[] {
  const isNew = { $eq: [`$${BEFORE}`, { _id: '$_id' }] };
  const isOurs = { $ne: [{ $type: `$${BEFORE}.${ourField}` }, 'missing'] };
  return [
    { $set: { [BEFORE]: '$$ROOT' } },
    ...stages,
    { $replaceWith: { $cond: [{ $or: [isNew, isOurs] }, '$$ROOT', `$${BEFORE}`] } },
    { $unset: BEFORE },
  ];
}
