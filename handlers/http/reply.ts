/** An answer in a form that can be both sent and stored. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as JSON. Undefined if there is none. */
  readonly body?: string | undefined;
}

export function toResponse({ status, headers, body }: Reply): Response {
  if (body === undefined) return new Response(null, { status, headers });
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/json' } });
}
