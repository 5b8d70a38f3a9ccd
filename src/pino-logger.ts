import type { LogFields, Logger } from './log.js';

/** What is used of a pino logger, or of a bunyan one: fields come first, and the message second. */
export interface FieldsFirstLogger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/**
 * Logs by a pino logger. Given as it is, pino would take the message for the whole event and drop the fields: it expects
 * them first, `Logger` expects them second.
 *
 * @example new RemoteProcessor({ db, log: pinoLogger(pino({ level: 'warn' })) });
 */
export function pinoLogger(pino: FieldsFirstLogger): Logger {
  return {
    debug: (message, fields = {}) => pino.debug(fields, message),
    info: (message, fields = {}) => pino.info(fields, message),
    warn: (message, fields = {}) => pino.warn(fields, message),
    error: (message, fields = {}) => pino.error(fields, message),
  };
}
