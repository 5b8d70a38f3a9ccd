/** What the handlers use of Lambda's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
  /** False: reply when the handler is done, though the connections to the database stay open. */
  callbackWaitsForEmptyEventLoop: boolean;
}

export type LambdaHandler<Result> = (event: unknown, context: LambdaContext) => Promise<Result>;
