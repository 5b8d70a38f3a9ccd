import * as z from 'zod';
import { kickDepth } from './kick.js';
import { refuseEvent } from './refuse-event.js';
import { isTick, tickText } from './tick-event.js';
import { readWakeUp, type WakeUp, wakeUpAmong, wakeUpOf } from './wake-up-event.js';
import { isWarmUp } from './warm-up-event.js';

export interface Message {
  readonly id: string;
  readonly body: string;
}

/** The reason why a worker is invoked. */
export type WorkerEvent =
  | { readonly kind: 'work'; readonly wakeUp: WakeUp; readonly isByQueue: boolean }
  | { readonly kind: 'warm-up' }
  | Messages;

/** Messages that add jobs, possibly together with wake-ups. */
export interface Messages {
  readonly kind: 'messages';
  readonly from: 'sqs' | 'sns';
  readonly messages: readonly Message[];
  /** The ARN of the queue that delivered the messages, if known. */
  readonly queue?: string | undefined;
  /** The combined request of the wake-ups among the messages, if there were any. */
  readonly wakeUp?: WakeUp | undefined;
}

const sqsSchema = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal('aws:sqs'),
        eventSourceARN: z.string().optional(),
        messageId: z.string(),
        body: z.string(),
      }),
    )
    .min(1),
});
const snsSchema = z.object({
  Records: z
    .array(
      z.object({
        EventSource: z.literal('aws:sns'),
        Sns: z.object({ MessageId: z.string(), Message: z.string() }),
      }),
    )
    .min(1),
});
/**
 * Returns what an event asks of the worker.
 *
 * @throws Error that names the source of an unexpected event. If it counted as a tick, it would be lost silently
 */
export function readWorkerEvent(event: unknown): WorkerEvent {
  if (isWarmUp(event)) return { kind: 'warm-up' };
  const wakeUp = readWakeUp(event);
  if (wakeUp) return { kind: 'work', wakeUp, isByQueue: true };
  const depth = kickDepth(event);
  if (depth !== undefined || isTick(event))
    return { kind: 'work', wakeUp: { depth, workers: 1 }, isByQueue: false };
  const messages = readMessages(event);
  if (messages) return messages;
  refuseEvent('worker', event, `${tickText}, a kick, or messages with jobs to add, all of SQS or all of SNS`);
}

/** Returns the messages that add jobs, and the combined request of any wake-ups among them. */
function readMessages(event: unknown): Messages | undefined {
  const sqs = sqsSchema.safeParse(event).data?.Records;
  if (sqs) {
    const messages = sqs
      .map(({ messageId: id, body }) => ({ id, body }))
      .filter(({ body }) => wakeUpOf(body) === undefined);
    const wakeUp = wakeUpAmong(sqs.map(({ body }) => body));
    return { kind: 'messages', from: 'sqs', messages, wakeUp, queue: sqs[0]?.eventSourceARN };
  }
  const sns = snsSchema.safeParse(event).data?.Records;
  const messages = sns?.map(({ Sns }) => ({ id: Sns.MessageId, body: Sns.Message }));
  return messages && { kind: 'messages', from: 'sns', messages };
}
