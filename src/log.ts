/**
 * Where events go. `fields` are for machines (job id, name, attempt, outcome); never inputs, outputs or secrets.
 * `console` satisfies it; for pino, which expects the fields first, there is `pinoLogger`.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** One JSON line per event on standard output, as CloudWatch Logs Insights reads it. */
export const jsonLogger: Logger = {
  debug: (message, fields) => writeLine('debug', message, fields),
  info: (message, fields) => writeLine('info', message, fields),
  warn: (message, fields) => writeLine('warn', message, fields),
  error: (message, fields) => writeLine('error', message, fields),
};

/** A logger that adds fields to each event; as a function, those of that moment. Fields of the event itself win. */
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

/** Not by `console.log`: on Lambda that puts time, request id and level before the line, which is no JSON then. */
function writeLine(level: string, message: string, fields: LogFields = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
}
