import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as projections from 'mingo/operators/projection';
import * as windows from 'mingo/operators/window';
import { CommandError } from '../errors.js';

const NAMES = new Set(
  [accumulators, expressions, projections, windows].flatMap((group) => Object.keys(group)),
);
/** They run JavaScript, which this server does not. */
const REFUSED = new Set(['$function', '$accumulator', '$where', '$meta']);

/** Throws 168 for a name that is no operator of expressions. */
export function requireOperator(name: string): void {
  if (REFUSED.has(name)) throw new CommandError(238, `${name} is not supported by this server`);
  if (!NAMES.has(name)) throw new CommandError(168, `Unrecognized expression '${name}'`);
}
