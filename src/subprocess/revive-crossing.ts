import { fromExtendedJson } from '../mongo/own-bson.js';
import { type Crossing, fromCrossing } from './crossing.js';

/** Unwraps a value that came from a thread, including its BSON values. */
export function reviveCrossing(crossing: Crossing): unknown {
  return fromCrossing(crossing, fromExtendedJson);
}
