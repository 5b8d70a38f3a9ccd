import * as z from 'zod';

/** Of a rule of EventBridge, of EventBridge Scheduler where nobody chose the payload, or of somebody's hand, who sends nothing. */
const tickSchema = z.union([
  z.object({
    source: z.enum(['aws.events', 'aws.scheduler']),
    'detail-type': z.literal('Scheduled Event'),
  }),
  z.strictObject({}),
  z.literal('').nullish(),
]);

/** How a tick is told to who sent something else. */
export const tickText =
  "a tick of EventBridge (the detail-type 'Scheduled Event' of aws.events or aws.scheduler; by hand {})";

/** Whether this is a moment of a schedule. */
export function isTick(event: unknown): boolean {
  return tickSchema.safeParse(event).success;
}
