import { fromExtendedJson } from '../mongo/own-bson.js';
import { type Crossing, fromCrossing } from './crossing.js';

/** What came from a thread, with its values of BSON. */
export function reviveCrossing(crossing: Crossing): unknown {
  return fromCrossing(crossing, fromExtendedJson);
}
