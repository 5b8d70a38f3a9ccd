import * as z from 'zod';

/**
 * Maximum length of a chain of workers that start each other. A longer chain makes no progress, or the next scheduled
 * run continues it.
 */
export const MAX_KICK_DEPTH = 50;

/** A request to start workers. It carries no data about jobs. */
export interface WakeUp {
  /** The number of kicks in a row that led to this one. Undefined for a scheduled run. */
  readonly depth?: number | undefined;
  /** The number of workers to start, including this one. */
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

/** Returns the combined request of an event's messages. Undefined unless all are wake-ups sent by SQS. */
export function readWakeUp(event: unknown): WakeUp | undefined {
  const bodies = queueEventSchema.safeParse(event).data?.Records.map(({ body }) => body) ?? [];
  return bodies.every((body) => wakeUpOf(body)) ? wakeUpAmong(bodies) : undefined;
}

/** Combines the wake-ups among these messages into one request. Undefined if there is none. */
export function wakeUpAmong(bodies: readonly string[]): WakeUp | undefined {
  const wakeUps = bodies.flatMap((body) => wakeUpOf(body) ?? []);
  if (wakeUps.length === 0) return undefined;
  const isTick = wakeUps.some(({ depth }) => depth === undefined);
  return {
    ...(!isTick && { depth: Math.max(...wakeUps.map(({ depth = 0 }) => depth)) }),
    workers: Math.max(...wakeUps.map(({ workers }) => workers)),
  };
}

/** Returns whether the queue with this ARN is the queue of wake-ups, which has this URL. */
export function isWakeUpQueue(arn: string | undefined, queueUrl: string | undefined): boolean {
  const [, account, name] = /:([^:]+):([^:]+)$/.exec(arn ?? '') ?? [];
  return name !== undefined && queueUrl?.endsWith(`/${account}/${name}`) === true;
}

/** Returns the request in a message, or undefined if the message is not a wake-up. */
export function wakeUpOf(body: string): WakeUp | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data?.wakeUp;
  } catch {
    return undefined;
  }
}
