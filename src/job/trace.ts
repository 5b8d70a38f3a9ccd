/** By W3C Trace Context: a later version may have more at its end. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

/** What W3C Trace Context asks everybody to carry. A longer one is left out, as it allows. */
const MAX_TRACESTATE = 512;

/** The trace that a job belongs to, as it is stored in its metadata. */
export interface Trace {
  readonly [name: string]: string;
  readonly traceparent: string;
}

/** What is valid of a trace that somebody sent or stored; undefined when there is none. */
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
