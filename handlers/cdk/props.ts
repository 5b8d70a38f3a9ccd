import type { Duration } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Runtime } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { AlarmThresholds } from './alarms.js';

export interface JobProcessorProps {
  /**
   * The folder of the bundles. It contains the folders `worker`, `scheduler`, `http` and `indexes`. Each of these has a
   * module of the same name that exports `handler`, such as `worker/worker.mjs`. The function `ensureIndexes` runs
   * `indexes`.
   */
  readonly bundles: string;
  /**
   * The name of the secret in AWS Secrets Manager, not its ARN. The secret holds `MONGODB_URI`, `API_KEYS` and other
   * secret settings as JSON.
   */
  readonly secret: string;
  /** Beginning of the names of functions, the queue, the API and alarms. Default: the name of the stack. */
  readonly name?: string;
  /** How many jobs a worker runs at a time, from 1 to 1000. Default: 10. */
  readonly maxThreads?: number;
  /** How many workers may run at a time, from 1 to 1000. Default: 10. */
  readonly maxWorkers?: number;
  /**
   * Further environment variables of all functions, such as `QUEUES` or `LOG_LEVEL`. Secrets belong into the secret, and are
   * refused here.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long an invocation of the worker may take, from 1 second to 15 minutes. Default: 5 minutes. */
  readonly workerTimeout?: Duration;
  /** The memory of the worker in MB, from 128 to 10,240. Default: 1024. */
  readonly workerMemorySize?: number;
  /** How many invocations of the worker may run at a time, at least `maxWorkers`. Default: as many as the account allows. */
  readonly workerConcurrency?: number;
  /** The runtime of the functions. Default: `NODEJS_22_X`. */
  readonly runtime?: Runtime;
  /** The HTTP API with the dashboard, or `false` for none. Default: an API that admits callers by their keys. */
  readonly http?: HttpApiProps | false;
  /**
   * The VPC in which the functions run, if the database is reachable only from there. From the VPC, they must reach
   * Secrets Manager and SQS. Default: none.
   */
  readonly vpc?: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: readonly ISecurityGroup[];
  /** How long the logs are kept. Default: a month. */
  readonly logRetention?: RetentionDays;
  /** The topic that is told when an alarm begins and ends. Default: none. */
  readonly alarmTopic?: ITopic;
  /** Thresholds of the alarms. Each has its own default. */
  readonly alarms?: Partial<AlarmThresholds>;
}

export interface HttpApiProps {
  /**
   * How callers are identified. With `keys`, the function checks their keys. With `iam`, API Gateway checks signatures
   * and IAM policies. Default: `keys`.
   */
  readonly access?: 'keys' | 'iam';
  /** The most requests of all callers per second, from 1. Further ones get a 429. Default: 100. */
  readonly rateLimit?: number;
  /** The most requests at once, from 1. Default: 200. */
  readonly burstLimit?: number;
  /** How many invocations of the function may run at a time, from 1. Default: as many as the account allows. */
  readonly concurrency?: number;
}
