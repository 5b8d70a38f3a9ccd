import type * as z from 'zod';
import { waitText } from '../../../handlers/wait-text.js';
import type { waitShape } from './job-shape.js';

/** Says what a job waits for: `sleeps until 2026-01-31 09:05Z`, or `waits for paid (until 2026-01-31 09:05Z)`. */
export function waitLine(wait: z.output<typeof waitShape>): string {
  const { kind, until } = wait;
  if (until === null) return waitText(wait);
  const moment = `${until.slice(0, 16).replace('T', ' ')}Z`;
  if (kind === 'signal') return `${waitText(wait)} (until ${moment})`;
  return `${waitText(wait)} ${kind === 'sleep' ? 'until' : 'at'} ${moment}`;
}
