import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as projections from 'mingo/operators/projection';
import * as windows from 'mingo/operators/window';
import { CommandError } from '../errors.js';
import { PATH } from './expression/fields.js';
import { expressionOverrides } from './expression/overrides.js';

const NAMES = new Set(
  [accumulators, expressions, projections, windows, expressionOverrides].flatMap((group) =>
    Object.keys(group),
  ),
);
/** Operators that run JavaScript, which this server does not. */
const REFUSED = new Set([
  '$function',
  '$accumulator',
  '$where',
  '$meta',
  // mingo lacks the following operators, or they differ from MongoDB's.
  '$median',
  '$percentile',
  '$covariancePop',
  '$covarianceSamp',
  '$derivative',
  '$integral',
  '$expMovingAvg',
  '$linearFill',
  '$locf',
  '$binarySize',
  '$bsonSize',
  '$tsSecond',
  '$tsIncrement',
]);
/** Operators that are newer than MongoDB 7.0, or this server's own. */
const UNKNOWN = ['$sigmoid', '$minMaxScaler', '$toHashedIndexKey', PATH];

/** Throws 168 for a name that is not an expression operator. */
export function requireOperator(name: string): void {
  if (REFUSED.has(name)) throw new CommandError(238, `${name} is not supported by this server`);
  if (!NAMES.has(name) || UNKNOWN.includes(name))
    throw new CommandError(168, `Unrecognized expression '${name}'`);
}
