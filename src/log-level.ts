import { type LogLevel, logLevels } from './config.js';
import type { Logger } from './log.js';

/** A logger that passes on what is at least as important as `level`. */
export function atLevel(level: LogLevel, log: Logger): Logger {
  const passes = (of: LogLevel) => logLevels.indexOf(of) >= logLevels.indexOf(level);
  return {
    debug: (message, fields) => passes('debug') && log.debug(message, fields),
    info: (message, fields) => passes('info') && log.info(message, fields),
    warn: (message, fields) => passes('warn') && log.warn(message, fields),
    error: (message, fields) => log.error(message, fields),
  };
}
