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

/** What API Gateway, a function URL or a load balancer makes a response of. */
export interface HttpAnswer {
  readonly statusCode: number;
  /** For a load balancer. */
  readonly statusDescription?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** In place of `headers`, where the request has them. */
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cookies?: readonly string[] | undefined;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}
