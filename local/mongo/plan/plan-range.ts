import type { Doc } from '../bson/decode.js';
import { CommandError } from '../errors.js';
import type { KeyField } from '../storage/index-keys.js';
import { compareBytes, keyString } from '../storage/key-string.js';
import type { OrderedIndex } from '../storage/ordered-index.js';
import { AFTER, type Interval } from './intervals.js';
import type { IndexPlan } from './plan.js';
import { planIndex } from './plan-index.js';

/** Plans the scan of an index between the two ends of `min` and `max`. The filter does not narrow it. */
export function planRange(
  index: OrderedIndex | undefined,
  { min, max }: { readonly min?: Doc; readonly max?: Doc },
  sort: readonly KeyField[],
): IndexPlan {
  if (index === undefined)
    throw new CommandError(51173, 'When using min()/max() a hint of which index to use must be provided');
  const range: Interval = { from: min ? cutAt(index, min) : '', to: max ? cutAt(index, max) : AFTER };
  if (compareBytes(range.from, range.to) >= 0)
    throw new CommandError(
      51175,
      'The value provided for min() does not come before the value provided for max() in the hinted index',
    );
  return { ...planIndex(index, new Map(), sort), range };
}

/** Returns the cut before the key with these values. Their names must be exactly the index's fields in order. */
function cutAt({ definition, keys }: OrderedIndex, end: Doc): string {
  const given = Object.keys(end);
  const isCompatible =
    given.length === definition.fields.length && definition.fields.every(({ path }, i) => path === given[i]);
  if (!isCompatible) throw new CommandError(51174, 'The index chosen is not compatible with min/max');
  return keyString(Object.values(end), keys.directions);
}
