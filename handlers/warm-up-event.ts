import * as z from 'zod';

const warmUpSchema = z.union([
  z.object({ source: z.literal('serverless-plugin-warmup') }),
  z.object({ warmup: z.literal(true) }),
  z.object({ warmer: z.literal(true) }),
]);

/** Returns whether an event only keeps a container warm. */
export function isWarmUp(event: unknown): boolean {
  return warmUpSchema.safeParse(event).success;
}
