import { z } from 'zod';

/** Jobs are spread over so many keys. So many of each key run at a time, by so many limits of the same kind. */
export const limitSchema = z.object({
  keys: z.int().min(1),
  places: z.int().min(1),
  limits: z.int().min(1).default(1),
});

export type BenchLimit = z.input<typeof limitSchema>;

/** Returns the key of job `n` under a limit. */
export function keyOf(n: number, { keys }: Pick<BenchLimit, 'keys'>): string {
  return `key-${n % keys}`;
}
