import type { Events } from '../events.js';
import type { Logger } from '../log.js';

/** Logs each attempt when it ends. */
export function logAttempts(events: Events, log: Logger): void {
  events.on('attemptEnded', ({ queue: _, ...attempt }) => log.info('Attempt ended', attempt));
}
