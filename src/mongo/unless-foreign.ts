import type { Document } from 'mongodb';

/** No document has a field of such a name. */
const BEFORE = '_beforeUpsert';

/**
 * The pipeline of an upsert by `_id` that leaves a document of somebody else as it is, byte for byte.
 *
 * @param ourField every document of ours has it; in the one that comes back it is missing if that is somebody else's
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
