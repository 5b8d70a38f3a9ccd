import type { Events } from '../events.js';
import type { Logger } from '../log.js';

/** Logs each attempt as it has ended. */
export function logAttempts(events: Events, log: Logger): void {
  events.on('attemptEnded', ({ queue: _, ...attempt }) => log.info('Attempt ended', attempt));
}
