import * as z from 'zod';
import type { Logger } from './log.js';
import { validateNow } from './validate.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Levels from least to most important. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

const method = z.function();
const methodsSchema = z.object({ debug: method, info: method, warn: method, error: method });

export const loggerSchema = z.custom<Logger>(
  (value) => methodsSchema.safeParse(value).success,
  'expected debug, info, warn and error functions',
);

/**
 * Returns a logger that passes on only messages of at least this level.
 *
 * @example new RemoteProcessor({ db, log: atLevel('warn', jsonLogger) });
 * @throws ValidationError for an unknown level
 */
export function atLevel(level: LogLevel, log: Logger): Logger {
  const least = logLevels.indexOf(validateNow(z.enum(logLevels), level, 'Level of the log'));
  const passes = (of: LogLevel) => logLevels.indexOf(of) >= least;
  return {
    debug: (message, fields) => passes('debug') && log.debug(message, fields),
    info: (message, fields) => passes('info') && log.info(message, fields),
    warn: (message, fields) => passes('warn') && log.warn(message, fields),
    error: (message, fields) => log.error(message, fields),
  };
}
