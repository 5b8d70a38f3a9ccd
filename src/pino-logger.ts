import type { LogFields, Logger } from './log.js';

/** The methods used of a pino or bunyan logger. They expect the fields first. */
export interface FieldsFirstLogger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/**
 * Returns a logger that writes to pino. pino expects the fields first, but a `Logger` gets the message first. Without this
 * function, pino would take the message for the fields and drop the fields.
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
