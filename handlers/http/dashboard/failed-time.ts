import { durationSchema } from '../../../src/duration.js';

/** The time of a word `failed`: `<1h` for within the last hour, `>1h` for before that. Undefined for another text. */
export function failedTime(value: string): { readonly side: '<' | '>'; readonly ms: number } | undefined {
  const [, side, duration = ''] = /^([<>])(.+)$/.exec(value) ?? [];
  const { data: ms } = durationSchema.safeParse(duration);
  return (side === '<' || side === '>') && ms !== undefined && ms > 0 ? { side, ms } : undefined;
}
