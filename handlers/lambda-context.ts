/** What the handlers use of Lambda's context. */
export interface LambdaContext {
  /** Of this invocation: stands in its log lines. */
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
  /** False: reply when the handler is done, though the connections to the database stay open. */
  callbackWaitsForEmptyEventLoop: boolean;
}

export type LambdaHandler<Result> = (event: unknown, context: LambdaContext) => Promise<Result>;
