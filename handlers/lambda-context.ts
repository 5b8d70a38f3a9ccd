/** The parts of Lambda's context that the handlers use. */
export interface LambdaContext {
  /** The id of this invocation, which its log lines carry. */
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
  /** Set to false to reply when the handler returns, although connections to the database stay open. */
  callbackWaitsForEmptyEventLoop: boolean;
}

export type LambdaHandler<Result> = (event: unknown, context: LambdaContext) => Promise<Result>;

/** An answer in the form that API Gateway, a function URL or a load balancer expects. */
export interface HttpAnswer {
  readonly statusCode: number;
  /** The status in words. Needed only by a load balancer. */
  readonly statusDescription?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Headers with all their values. Used in place of `headers` if the request has this member. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cookies?: readonly string[] | undefined;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}
