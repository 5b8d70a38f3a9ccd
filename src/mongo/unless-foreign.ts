import type { Document } from 'mongodb';

/** Field that no document has. */
const BEFORE = '_beforeUpsert';

/**
 * Returns the pipeline of an upsert by `_id`. The upsert leaves a foreign document unchanged, byte for byte.
 *
 * @param ourField field that all our documents have. If the returned document lacks it, that document is foreign
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
