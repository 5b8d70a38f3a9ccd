/** Format of `traceparent` in W3C Trace Context. Later versions may append more. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

/** Length of `tracestate` that W3C Trace Context requires everyone to pass on. A longer one may be dropped. */
const MAX_TRACESTATE = 512;

/** The trace of a job, as stored in its metadata. */
export interface Trace {
  readonly [name: string]: string;
  readonly traceparent: string;
}

/** Returns the valid parts of a trace that was sent or stored, or undefined if there is no valid `traceparent`. */
export function traceOf({
  traceparent,
  tracestate,
}: {
  readonly traceparent?: string | null | undefined;
  readonly tracestate?: string | null | undefined;
}): Trace | undefined {
  const [valid] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (valid === undefined) return undefined;
  const isCarried = tracestate && tracestate.length <= MAX_TRACESTATE && /^[\x20-\x7e]+$/.test(tracestate);
  return { traceparent: valid, ...(isCarried && { tracestate }) };
}
