/** The parts of Lambda's context that the handlers use. */
export interface LambdaContext {
  /** The id of this invocation, which its log lines carry. */
  readonly awsRequestId: string;
  readonly functionName: string;
  getRemainingTimeInMillis(): number;
  /** False to reply when the handler is done, though the connections to the database stay open. */
  callbackWaitsForEmptyEventLoop: boolean;
}

export type LambdaHandler<Result> = (event: unknown, context: LambdaContext) => Promise<Result>;

/** The form of an answer for API Gateway, a function URL or a load balancer. */
export interface HttpAnswer {
  readonly statusCode: number;
  /** For a load balancer only. */
  readonly statusDescription?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Replaces `headers` if the request has this member. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cookies?: readonly string[] | undefined;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}
