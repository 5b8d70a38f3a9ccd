import * as z from 'zod';

/** An event of a rule of EventBridge, of EventBridge Scheduler with its default payload, or an empty event sent by hand. */
const tickSchema = z.union([
  z.object({
    source: z.enum(['aws.events', 'aws.scheduler']),
    'detail-type': z.literal('Scheduled Event'),
  }),
  z.strictObject({}),
  z.literal('').nullish(),
]);

/** Describes a tick in the error for another event. */
export const tickText =
  "a tick of EventBridge (the detail-type 'Scheduled Event' of aws.events or aws.scheduler; by hand {})";

/** Returns whether an event is a tick of a schedule. */
export function isTick(event: unknown): boolean {
  return tickSchema.safeParse(event).success;
}
