import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  type FunctionProps,
  Function as LambdaFunction,
  RecursiveLoop,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { makeAlarms } from './alarms.js';
import { checkProps } from './check-props.js';
import { makeHttpApi } from './http-api.js';
import { Permissions } from './permissions.js';
import type { HttpApiProps, JobProcessorProps } from './props.js';
import { makeWakeUpQueue, startByQueue, startEveryMinute } from './wake-ups.js';

/** Properties that each function has of its own. */
type OwnProps = Pick<FunctionProps, 'description' | 'timeout'> &
  Partial<FunctionProps> & { readonly entry: string; readonly statements: readonly PolicyStatement[] };

/** Switches off retries, since the next tick or message makes up for a lost invocation. */
const onlyOnce = { retryAttempts: 0, maxEventAge: Duration.seconds(60) };

/**
 * The functions, the queue of wake-ups, the HTTP API and the alarms of a job processor. `serverless.yml` of this
 * package makes the same resources. Each function has a role with only the permissions that it needs.
 *
 * @example
 * const jobs = new JobProcessor(stack, 'Jobs', { bundles: 'dist', secret: 'remote-processor/prod' });
 * jobs.letAddJobs(api);
 *
 * @throws ValidationError that lists every property with which the stack would not work
 */
export class JobProcessor extends Construct {
  readonly scheduler: LambdaFunction;
  readonly worker: LambdaFunction;
  /** The function that makes the indexes. Invoke it by hand, once per deployment. */
  readonly ensureIndexes: LambdaFunction;
  /** The function of the HTTP API. Undefined with `http: false`. */
  readonly http: LambdaFunction | undefined;
  /** The HTTP API. Undefined with `http: false`. */
  readonly httpApi: HttpApi | undefined;
  /** The queue whose messages wake the worker. */
  readonly wakeUpQueue: Queue;
  readonly alarms: readonly Alarm[];

  readonly #props: JobProcessorProps;
  readonly #name: string;
  readonly #permissions: Permissions;

  constructor(scope: Construct, id: string, props: JobProcessorProps) {
    checkProps(props);
    super(scope, id);
    this.#props = props;
    this.#name = props.name ?? Stack.of(this).stackName;
    this.#permissions = new Permissions(Stack.of(this), this.#name, props.secret, props.vpc !== undefined);
    this.wakeUpQueue = makeWakeUpQueue(this, this.#name);
    this.scheduler = this.#makeScheduler();
    this.worker = this.#makeWorker();
    const http = props.http ?? {};
    this.http = http === false ? undefined : this.#makeHttp(http);
    this.ensureIndexes = this.#makeEnsureIndexes();
    this.httpApi = this.http && http ? this.#makeApi(this.http, http) : undefined;
    this.#linkCallbacks();
    this.alarms = makeAlarms(this, {
      name: this.#name,
      api: this.httpApi,
      topic: props.alarmTopic,
      thresholds: props.alarms,
    });
  }

  /**
   * Lets another function add jobs with a kick. The function gets the permission to send to the queue of wake-ups, and
   * the queue's URL in its variable `WAKE_UP_QUEUE_URL`. It needs its own connection to the database.
   */
  letAddJobs(producer: LambdaFunction): void {
    producer.addEnvironment('WAKE_UP_QUEUE_URL', this.wakeUpQueue.queueUrl);
    producer.addToRolePolicy(this.#permissions.maySendWakeUps());
  }

  /** Tells the functions the address of links that answer callbacks, unless the environment names another. */
  #linkCallbacks(): void {
    if (!this.httpApi || this.#props.environment?.CALLBACK_URL !== undefined) return;
    for (const linking of [this.worker, this.http])
      linking?.addEnvironment('CALLBACK_URL', this.httpApi.apiEndpoint);
  }

  #makeScheduler(): LambdaFunction {
    const scheduler = this.#make('scheduler', {
      entry: 'scheduler',
      description: 'Turns due scheduler items into jobs.',
      timeout: Duration.seconds(60),
      statements: [this.#permissions.maySendWakeUps()],
      ...onlyOnce,
    });
    startEveryMinute(this, scheduler);
    return scheduler;
  }

  #makeWorker(): LambdaFunction {
    const { workerTimeout, workerMemorySize, workerConcurrency, maxWorkers = 10 } = this.#props;
    const worker = this.#make('worker', {
      entry: 'worker',
      description: 'Runs due jobs, started by wake-ups.',
      timeout: workerTimeout ?? Duration.minutes(5),
      memorySize: workerMemorySize ?? 1024,
      recursiveLoop: RecursiveLoop.ALLOW, // The worker kicks itself while jobs wait. Lambda would stop that after about 16 times.
      statements: [this.#permissions.maySendWakeUps(), this.#permissions.mayReceiveWakeUps()],
      ...(workerConcurrency !== undefined && { reservedConcurrentExecutions: workerConcurrency }),
      ...onlyOnce,
    });
    startByQueue(this, worker, this.wakeUpQueue, maxWorkers);
    return worker;
  }

  #makeHttp({ access = 'keys', concurrency }: HttpApiProps): LambdaFunction {
    return this.#make('http', {
      entry: 'http',
      description: 'The HTTP API, and the dashboard.',
      timeout: Duration.seconds(29),
      environment: { HTTP_ACCESS: access },
      statements: [this.#permissions.maySendWakeUps()],
      ...(concurrency !== undefined && { reservedConcurrentExecutions: concurrency }),
    });
  }

  #makeApi(http: LambdaFunction, props: HttpApiProps): HttpApi {
    return makeHttpApi(this, this.#name, http, props, this.#logRetention());
  }

  #makeEnsureIndexes(): LambdaFunction {
    return this.#make('ensureIndexes', {
      entry: 'indexes',
      description: 'Makes the indexes, once per deployment.',
      timeout: Duration.minutes(15),
      statements: [],
    });
  }

  #make(name: string, { entry, statements, environment, ...own }: OwnProps): LambdaFunction {
    const { bundles, runtime = Runtime.NODEJS_22_X, vpc, vpcSubnets, securityGroups } = this.#props;
    const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const logGroup = new LogGroup(this, `${id}Log`, {
      logGroupName: `/aws/lambda/${this.#name}-${name}`,
      retention: this.#logRetention(),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return new LambdaFunction(this, `${id}Function`, {
      functionName: `${this.#name}-${name}`,
      handler: `${entry}.handler`,
      code: Code.fromAsset(join(bundles, entry)),
      runtime,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      role: this.#permissions.makeRole(this, `${id}Role`, name, statements),
      logGroup,
      environment: { ...this.#commonEnvironment(), ...environment },
      ...(vpc && { vpc }),
      ...(vpcSubnets && { vpcSubnets }),
      ...(securityGroups && { securityGroups: [...securityGroups] }),
      ...own,
    });
  }

  #commonEnvironment(): Record<string, string> {
    const { secret, maxThreads = 10, maxWorkers = 10, environment } = this.#props;
    return {
      ...environment,
      SECRET_ID: secret,
      MAX_THREADS: `${maxThreads}`,
      MAX_WORKERS: `${maxWorkers}`,
      WORKER_FUNCTION_NAME: `${this.#name}-worker`,
      WAKE_UP_QUEUE_URL: this.wakeUpQueue.queueUrl,
    };
  }

  #logRetention(): RetentionDays {
    return this.#props.logRetention ?? RetentionDays.ONE_MONTH;
  }
}
