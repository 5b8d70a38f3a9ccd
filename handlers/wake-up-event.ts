import * as z from 'zod';

/** Workers that start each other this often are getting nowhere, or have enough to do until the next minute. */
export const MAX_KICK_DEPTH = 50;

/** What a worker is started for, beside working: it carries no data about jobs. */
export interface WakeUp {
  /** How many kicks in a row led to this one. Undefined for the tick of the minute. */
  readonly depth?: number | undefined;
  /** How many workers were asked for, this one included. */
  readonly workers: number;
}

const wakeUpSchema = z.object({
  depth: z.int().min(0).max(MAX_KICK_DEPTH).optional(),
  workers: z.int().min(1).max(1000).default(1),
});

const bodySchema = z.object({ wakeUp: wakeUpSchema });

const queueEventSchema = z.object({
  Records: z.array(z.object({ eventSource: z.literal('aws:sqs'), body: z.string() })).min(1),
});

/** The body of a message that wakes a worker. */
export function wakeUpBody(wakeUp: WakeUp): string {
  return JSON.stringify({ wakeUp });
}

/** What the messages of one event ask for together; undefined unless all are of SQS, and of our own shape. */
export function readWakeUp(event: unknown): WakeUp | undefined {
  const messages = queueEventSchema.safeParse(event).data?.Records.map(({ body }) => wakeUpOf(body));
  const wakeUps = messages?.flatMap((wakeUp) => wakeUp ?? []) ?? [];
  if (wakeUps.length === 0 || wakeUps.length !== messages?.length) return undefined;
  const isTick = wakeUps.some(({ depth }) => depth === undefined);
  return {
    ...(!isTick && { depth: Math.max(...wakeUps.map(({ depth = 0 }) => depth)) }),
    workers: Math.max(...wakeUps.map(({ workers }) => workers)),
  };
}

/** What a message asks for; undefined for one that wakes nobody. */
export function wakeUpOf(body: string): WakeUp | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data?.wakeUp;
  } catch {
    return undefined;
  }
}
