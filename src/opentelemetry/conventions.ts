import type { Attributes } from '@opentelemetry/api';
import { isError } from '../is-error.js';

/*
 * Names from OpenTelemetry's semantic conventions for messaging, which are in development:
 * https://opentelemetry.io/docs/specs/semconv/messaging/. The destination is the job's name, and the message is the
 * job.
 */

export const sentMessages = 'messaging.client.sent.messages';
export const consumedMessages = 'messaging.client.consumed.messages';
export const operationDuration = 'messaging.client.operation.duration';
export const processDuration = 'messaging.process.duration';

/** Bucket boundaries in seconds, as the conventions recommend. */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export type Operation = 'send' | 'process';

/** Returns the attributes of metrics, each of which has few values. */
export function attributesOf(operation: Operation, jobName: string): Attributes {
  return {
    'messaging.system': 'remote_processor',
    'messaging.operation.name': operation,
    'messaging.destination.name': jobName,
  };
}

/** Returns the attributes that only spans have. */
export function spanAttributesOf(operation: Operation, jobId: string, queue: string): Attributes {
  return {
    'messaging.operation.type': operation,
    'messaging.message.id': jobId,
    'remote_processor.queue': queue,
  };
}

/** Returns the attribute with the class of an error, taken from the error's name. */
export function errorAttributes(error: unknown): Attributes {
  return { 'error.type': isError(error) ? error.name : '_OTHER' };
}
