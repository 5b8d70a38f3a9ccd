import type { Attributes } from '@opentelemetry/api';
import { isError } from '../is-error.js';
import type { StepCall } from '../job/step-call.js';

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

/** Returns the attributes of metrics. Each attribute has few different values. */
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

/** Attribute of an attempt or an iteration that goes on in a later attempt. */
export const suspended: Attributes = { 'remote_processor.suspended': true };

/** Returns the attributes of a step's span. */
export function stepAttributesOf({
  jobId,
  jobName,
  step,
  kind,
  attempt,
}: Pick<StepCall, 'step' | 'kind'> & {
  readonly jobId: string;
  readonly jobName: string;
  readonly attempt?: number;
}): Attributes {
  return {
    'messaging.destination.name': jobName,
    'messaging.message.id': jobId,
    'remote_processor.step.name': step,
    'remote_processor.step.kind': kind,
    ...(attempt !== undefined && { 'remote_processor.step.attempt': attempt }),
  };
}

/** Returns the attribute with the class of an error, taken from the error's name. */
export function errorAttributes(error: unknown): Attributes {
  return { 'error.type': isError(error) ? error.name : '_OTHER' };
}
