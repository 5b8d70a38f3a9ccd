/**
 * Receives log events. `fields` are for machines (job id, name, attempt, outcome), and never contain inputs, outputs or
 * secrets. `console` is a Logger. For pino, which expects the fields first, use `pinoLogger`.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Writes a JSON line per event to standard output, as CloudWatch Logs Insights reads it. */
export const jsonLogger: Logger = {
  debug: (message, fields) => writeLine('debug', message, fields),
  info: (message, fields) => writeLine('info', message, fields),
  warn: (message, fields) => writeLine('warn', message, fields),
  error: (message, fields) => writeLine('error', message, fields),
};

/**
 * Returns a logger that adds fields to each event. If `fields` is a function, it is called for each event. The event's
 * own fields win.
 */
export function withFields(log: Logger, fields: LogFields | (() => LogFields)): Logger {
  const all = (own: LogFields | undefined) => ({
    ...(typeof fields === 'function' ? fields() : fields),
    ...own,
  });
  return {
    debug: (message, own) => log.debug(message, all(own)),
    info: (message, own) => log.info(message, all(own)),
    warn: (message, own) => log.warn(message, all(own)),
    error: (message, own) => log.error(message, all(own)),
  };
}

/**
 * Writes a line to standard output. Does not use `console.log`, because on Lambda that prefixes time, request id and level, and
 * the line is no longer JSON.
 */
function writeLine(level: string, message: string, fields: LogFields = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}
