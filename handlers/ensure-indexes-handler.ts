import { atLevel } from '../src/log-level.js';
import { validateNow } from '../src/validate.js';
import type { HandlerOptions } from './container.js';
import { invocations } from './invocation.js';
import type { LambdaHandler } from './lambda-context.js';
import { type IndexesMade, makeIndexes } from './make-indexes.js';
import { environmentOptionsSchema } from './option-schemas.js';
import { settingsOf } from './settings.js';
import { isWarmUp } from './warm-up-event.js';

/**
 * Makes the indexes of a database that only the functions can reach. Invoke this once per deployment, by hand or from a
 * pipeline. The log shows its progress. If the time runs out, invoke the function again to make the remaining indexes.
 *
 * @returns a handler for any event, whose result says what was made. An event that only keeps a container warm has no
 *   effect and no result
 * @throws ValidationError listing invalid options
 */
export function createEnsureIndexesHandler(
  options: Pick<HandlerOptions, 'env' | 'log'> = {},
): LambdaHandler<IndexesMade | undefined> {
  validateNow(environmentOptionsSchema, options, 'The call of createEnsureIndexesHandler');
  const { env, log: target } = options;
  const invocation = invocations(target);
  const settings = settingsOf({ env, log: invocation.log }, ['MONGODB_URI']);
  return async (event, context) => {
    if (isWarmUp(event)) return undefined;
    invocation.begin(context);
    const config = await settings();
    const log = atLevel(config.LOG_LEVEL, invocation.log);
    const result = await makeIndexes(config, (progress) => log.info('Making indexes', { progress }));
    log.info('Indexes were made', { ...result });
    return result;
  };
}
