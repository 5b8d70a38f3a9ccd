import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';
import type { Metadata } from '../job/metadata.js';
import { traceOf } from '../job/trace.js';

/** Returns the context of a span as W3C Trace Context, to be stored with a job. */
export function toMetadata({ traceId, spanId, traceFlags, traceState }: SpanContext): Metadata {
  const flags = traceFlags.toString(16).padStart(2, '0');
  const tracestate = traceState?.serialize();
  return traceOf({ traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate }) ?? {};
}

/** Returns the context that is stored with a job, or undefined without a valid one. */
export function toSpanContext(metadata: Metadata): SpanContext | undefined {
  const stored = traceOf(metadata);
  if (stored === undefined) return undefined;
  const { traceparent, tracestate } = stored;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  const context = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
  return isSpanContextValid(context) ? context : undefined;
}
