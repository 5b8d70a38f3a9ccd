import * as z from 'zod';

/** The longest chain of workers that start each other. A longer chain is stuck, or busy enough until the next minute. */
export const MAX_KICK_DEPTH = 50;

/** The reason for which a worker is started. It carries no data about jobs. */
export interface WakeUp {
  /** The number of kicks in a row that led to this one. Undefined for the tick of the minute. */
  readonly depth?: number | undefined;
  /** The number of workers asked for, including this one. */
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

export function wakeUpBody(wakeUp: WakeUp): string {
  return JSON.stringify({ wakeUp });
}

/** Returns what the messages of one event ask for together. Undefined unless all are of SQS, and wake-ups. */
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

/** Returns what a message asks for, or undefined if it is not a wake-up. */
export function wakeUpOf(body: string): WakeUp | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data?.wakeUp;
  } catch {
    return undefined;
  }
}
