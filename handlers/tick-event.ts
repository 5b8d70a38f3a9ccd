import * as z from 'zod';

/**
 * Schema of an event from an EventBridge rule, from EventBridge Scheduler with its default payload, or an empty event
 * sent by hand.
 */
const tickSchema = z.union([
  z.object({
    source: z.enum(['aws.events', 'aws.scheduler']),
    'detail-type': z.literal('Scheduled Event'),
  }),
  z.strictObject({}),
  z.literal('').nullish(),
]);

/** Describes a tick, for errors about unexpected events. */
export const tickText =
  "a tick of EventBridge (the detail-type 'Scheduled Event' of aws.events or aws.scheduler; by hand {})";

/** Returns whether an event is a schedule's tick. */
export function isTick(event: unknown): boolean {
  return tickSchema.safeParse(event).success;
}
