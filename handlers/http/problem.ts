import { cutText } from '../../src/cut-text.js';
import type { Issue } from '../../src/index.js';
import { describeIssues, firstIssues, MAX_DETAIL_BYTES } from '../../src/issues.js';

/**
 * The problems that a request can cause.
 *
 * - 400: the body is not JSON or is not allowed, or the path is ambiguous
 * - 401: the key is missing or unknown
 * - 403: the key's role does not suffice, or the request comes from another site, is addressed to another name, or has
 *   a form of another session
 * - 422: the body is JSON, but its content is refused
 * - 429: too many wrong keys
 */
const kinds = {
  invalid_address: { status: 400, title: 'The address can be read as another one' },
  invalid_body: { status: 400, title: 'The body is not a JSON object' },
  invalid_request: { status: 400, title: 'This is not an HTTP request' },
  needless_body: { status: 400, title: 'This request must have no body' },
  unauthorized: { status: 401, title: 'A valid API key is required' },
  not_signed: { status: 401, title: 'An AWS signature is required' },
  no_api_keys: { status: 401, title: 'No API key is configured' },
  forbidden: { status: 403, title: "The API key's role does not allow this" },
  page_outdated: { status: 403, title: 'This page is out of date' },
  unknown_host: { status: 403, title: 'This server does not answer to this host name' },
  sent_from_elsewhere: { status: 403, title: 'The request came from a page of another site' },
  route_not_found: { status: 404, title: 'There is nothing at this address' },
  dashboard_off: { status: 404, title: 'The dashboard is off' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed at this address' },
  request_timeout: { status: 408, title: 'The request came too slowly' },
  callback_answered: { status: 409, title: 'This was answered before' },
  callback_over: { status: 410, title: 'This link has expired' },
  conflict: { status: 409, title: 'This conflicts with stored data' },
  idempotency_key_in_use: { status: 409, title: 'The request with this Idempotency-Key is under way' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body must be JSON' },
  validation_failed: { status: 422, title: 'The request is invalid' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key belongs to another request' },
  unknown_job_name: { status: 422, title: 'No job has this name' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  too_many_wrong_keys: { status: 429, title: 'Too many wrong API keys or links came from this address' },
  index_missing: { status: 500, title: 'The database lacks an index' },
  foreign_documents: { status: 500, title: 'The collections belong to another application' },
  answer_too_large: { status: 500, title: 'The answer is too large for Lambda' },
  internal_error: { status: 500, title: 'Something went wrong' },
  loop_stuck: { status: 503, title: 'A loop of this process is stuck' },
  read_timeout: { status: 503, title: 'The database took too long' },
  database_unreachable: { status: 503, title: 'The database cannot be reached' },
} as const;

/** The stable code of a problem. Match on this, never on the texts. */
export type ProblemCode = keyof typeof kinds;

/** Returns the members that all problems with this code share. */
export function kindOf(code: ProblemCode): {
  readonly type: string;
  readonly title: string;
  readonly status: number;
} {
  return { type: `urn:remote-processor:problem:${code}`, ...kinds[code] };
}

export interface ProblemDetails {
  /** The reason in this case. At most 2 KB of it are sent. Default: the title. */
  readonly detail?: string;
  /** The errors in the request and their paths. At most 100 are sent. */
  readonly issues?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error that may be thrown anywhere in a route. The answer is then a problem document (RFC 9457). */
export class Problem extends Error {
  readonly details: ProblemDetails;

  constructor(
    readonly code: ProblemCode,
    { issues, ...details }: ProblemDetails = {},
  ) {
    super(cutText(details.detail ?? kinds[code].title, MAX_DETAIL_BYTES));
    this.details = { ...details, ...(issues && { issues: firstIssues(issues) }) };
  }

  get status(): number {
    return kindOf(this.code).status;
  }

  get title(): string {
    return kinds[this.code].title;
  }

  toResponse(): Response {
    const { code } = this;
    const { headers, issues } = this.details;
    const { type, title, status } = kindOf(code);
    return Response.json(
      { type, title, status, detail: this.message, code, ...(issues && { issues }) },
      { status, headers: { ...headers, 'content-type': 'application/problem+json' } },
    );
  }
}

/** Returns the problem of a request whose body or URL is well-formed but invalid. */
export function invalid(issues: readonly Issue[]): Problem {
  return new Problem('validation_failed', { detail: describeIssues(issues), issues });
}
