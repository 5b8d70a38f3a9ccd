import { RemoteProcessorError } from '../errors.js';

/**
 * A subprocess job failed without throwing. Its module could not be loaded, or its thread exited, ran out of memory or
 * could not be started. See `cause`. The job is retried as after any error.
 */
export class SubprocessError extends RemoteProcessorError {
  readonly code = 'subprocess_failed';

  /** @param module URL of the module */
  constructor(
    readonly module: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`Subprocess module ${module}: ${what}`, options);
  }
}
