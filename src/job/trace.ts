/** Format of W3C Trace Context. A later version may have more at its end. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

/** Length that W3C Trace Context requires everyone to carry. A longer one may be left out. */
const MAX_TRACESTATE = 512;

/** The trace of a job, as stored in its metadata. */
export interface Trace {
  readonly [name: string]: string;
  readonly traceparent: string;
}

/** Returns the valid parts of a trace that was sent or stored. Undefined if there is none. */
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
