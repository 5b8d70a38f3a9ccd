/** An answer that is ready to be sent, and to be kept. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined for none. */
  readonly body?: string | undefined;
}

export function toResponse({ status, headers, body }: Reply): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/json' } });
}
