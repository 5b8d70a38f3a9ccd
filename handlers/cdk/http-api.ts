import { RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  HttpApi,
  HttpMethod,
  HttpNoneAuthorizer,
  type IHttpRouteAuthorizer,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { HttpApiProps } from './props.js';

/**
 * Format of the log of requests. Requests that never reached the function are logged too. The path is left out, since
 * it is the sender's own text and would not be escaped. The function logs the path.
 */
const logged = JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTime',
  address: '$context.identity.sourceIp',
  caller: '$context.identity.userArn',
  route: '$context.routeKey',
  status: '$context.status',
  responseLength: '$context.responseLength',
  integrationStatus: '$context.integration.status',
  error: '$context.error.responseType',
});

/** Makes the HTTP API. It passes every path to the function, which knows the routes. */
export function makeHttpApi(
  scope: Construct,
  name: string,
  target: LambdaFunction,
  { access = 'keys', rateLimit = 100, burstLimit = 200 }: HttpApiProps,
  retention: RetentionDays,
): HttpApi {
  const api = new HttpApi(scope, 'HttpApi', { apiName: name, createDefaultStage: false });
  const logGroup = new LogGroup(scope, 'HttpApiLog', {
    logGroupName: `/aws/http-api/${name}`,
    retention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  api.addStage('HttpApiStage', {
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit, burstLimit },
    accessLogSettings: {
      destination: new LogGroupLogDestination(logGroup),
      format: AccessLogFormat.custom(logged),
    },
  });
  const integration = new HttpLambdaIntegration('HttpIntegration', target);
  const open = new HttpNoneAuthorizer();
  const guarded = access === 'iam' ? new HttpIamAuthorizer() : open;
  const route = (path: string, method: HttpMethod, authorizer: IHttpRouteAuthorizer) =>
    api.addRoutes({ path, methods: [method], integration, authorizer });
  route('/health', HttpMethod.GET, open);
  // The token in a link is the right to answer.
  route('/callbacks/{token}', HttpMethod.GET, open);
  route('/callbacks/{token}', HttpMethod.POST, open);
  route('/', HttpMethod.ANY, guarded);
  route('/{proxy+}', HttpMethod.ANY, guarded);
  // A browser cannot sign the question that precedes a request of another site (CORS). The function answers only that here.
  route('/{proxy+}', HttpMethod.OPTIONS, open);
  return api;
}
