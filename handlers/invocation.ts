import { jsonLogger, type Logger } from '../src/index.js';
import { withFields } from '../src/log.js';
import type { LambdaContext } from './lambda-context.js';

/** What a handler knows of the invocation under way. A container runs one at a time. */
export interface Invocation {
  /** Each event carries the id of the invocation under way, as `requestId`. */
  readonly log: Logger;
  /** To be called first in each invocation. */
  readonly begin: (context: LambdaContext) => void;
  /** How many milliseconds there are until Lambda ends it; infinite before the first. */
  readonly timeLeft: () => number;
}

/** @param log default: JSON lines on standard output */
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
