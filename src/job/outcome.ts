/** How an attempt ended. What follows from it (retry, `error`, `cancelled`) is decided by the document: end-attempt.ts. */
export type Outcome =
  | { readonly kind: 'completed'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly retryable: boolean }
  | { readonly kind: 'givenBack' };

/** An error in the form it is stored in. */
export interface Failure {
  readonly message: string;
  readonly stack?: string;
}

/** The outcome of one attempt, and the lease it belongs to. */
export interface Settlement {
  readonly id: string;
  readonly token: string;
  readonly outcome: Outcome;
}

/** Whatever was thrown, as a storable failure. */
export function toFailure(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  return thrown.stack === undefined
    ? { message: thrown.message }
    : { message: thrown.message, stack: thrown.stack };
}
