import { jsonLogger, type Logger } from '../src/index.js';
import { withFields } from '../src/log.js';
import type { LambdaContext } from './lambda-context.js';

/** Facts about the current invocation. A container runs one invocation at a time. */
export interface Invocation {
  /** Adds the id of the current invocation to each log event, as `requestId`. */
  readonly log: Logger;
  /** Call this first in each invocation. */
  readonly begin: (context: LambdaContext) => void;
  /** Returns the milliseconds until Lambda cuts off the invocation. Infinite before the first invocation. */
  readonly timeLeft: () => number;
}

/**
 * Returns the facts about the current invocation of this container.
 * @param log default: JSON lines on standard output
 */
export function invocations(log: Logger = jsonLogger): Invocation {
  let current: LambdaContext | undefined;
  return {
    log: withFields(log, () => ({ requestId: current?.awsRequestId })),
    timeLeft: () => current?.getRemainingTimeInMillis() ?? Number.POSITIVE_INFINITY,
    begin(context) {
      current = context;
      context.callbackWaitsForEmptyEventLoop = false;
    },
  };
}
