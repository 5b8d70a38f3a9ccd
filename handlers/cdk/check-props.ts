import { type Duration, Token } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { configSchema } from '../../src/config.js';
import { validateNow } from '../../src/validate.js';
import { thresholdsSchema } from './alarms.js';
import type { JobProcessorProps } from './props.js';
import { LEAST_WORKERS } from './wake-ups.js';

/** Variables that are refused here. They would stand in the template, which many people may read. */
const secrets = [
  'MONGODB_URI',
  'API_KEYS',
  'SESSION_SECRETS',
  'CALLBACK_SECRETS',
  'WEBHOOK_SECRET',
  'WEBHOOK_SECRETS',
  'ALERT_WEBHOOK_URL',
  'ALERT_WEBHOOK_SECRET',
];

const upTo1000 = z.int().min(1).max(1000);

const environmentSchema = z.record(z.string(), z.string()).check(({ value, issues }) => {
  const told = Object.entries(value).filter(([, text]) => !Token.isUnresolved(text) && text.trim() !== '');
  const refused = told.filter(([name]) => secrets.includes(name));
  for (const [name] of refused)
    issues.push({
      code: 'custom',
      input: undefined,
      path: [name],
      message: 'expected in the secret, not here',
    });
  const others = told.filter(([name]) => !secrets.includes(name));
  for (const { path, message } of configSchema.safeParse(Object.fromEntries(others)).error?.issues ?? [])
    issues.push({ code: 'custom', input: undefined, path: [...path], message });
});

/** Recognizes an object of CDK by one of its methods. Its class may come from another copy of CDK. */
function withMethod(name: string, expected: string) {
  const hasIt = (value: unknown) =>
    typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
  return z.custom<Duration>(hasIt, expected).optional();
}

/** Returns whether Lambda allows a timeout. */
function isTimeout(duration: Duration | undefined): boolean {
  if (duration === undefined || duration.isUnresolved()) return true;
  const seconds = duration.toSeconds({ integral: false });
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= 900;
}

/** Returns a schema for a whole number. A token passes, as in `textOf`. */
function wholeNumber(least: number, most: number) {
  const isOne = (value: number) => Number.isInteger(value) && value >= least && value <= most;
  return z
    .number()
    .refine(
      (value) => Token.isUnresolved(value) || isOne(value),
      `expected a whole number from ${least} to ${most}`,
    )
    .optional();
}

const anything = z.unknown().optional();

const httpSchema = z.strictObject({
  access: z.enum(['keys', 'iam']).optional(),
  rateLimit: wholeNumber(1, 1e6),
  burstLimit: wholeNumber(1, 1e6),
  concurrency: wholeNumber(1, 1e6), // 0 would switch the function off.
});

const propsSchema = z
  .strictObject({
    workerTimeout: withMethod('toSeconds', 'expected a Duration of CDK, such as Duration.minutes(5)').refine(
      isTimeout,
      'expected whole seconds, from 1 second to the 15 minutes that Lambda allows',
    ),
    workerMemorySize: wholeNumber(128, 10_240),
    runtime: anything,
    http: z
      .union(
        [z.literal(false), httpSchema],
        'expected false, or { access, rateLimit, burstLimit, concurrency }',
      )
      .optional(),
    vpc: anything,
    vpcSubnets: anything,
    securityGroups: anything,
    logRetention: z
      .enum(RetentionDays, 'expected a value of RetentionDays, such as RetentionDays.ONE_MONTH')
      .optional(),
    alarmTopic: anything,
    bundles: z.string().min(1),
    secret: textOf(
      /^(?!arn:)[\w/+=.@-]{1,512}$/,
      'the name of a secret such as remote-processor/prod, neither its ARN nor nothing',
    ),
    name: textOf(/^[\w-]{1,50}$/, 'up to 50 letters, digits, or any of _ -').optional(),
    maxThreads: upTo1000.optional(),
    maxWorkers: upTo1000.optional(),
    environment: environmentSchema.optional(),
    workerConcurrency: z.int().optional(),
    alarms: thresholdsSchema.optional(),
  })
  .refine(
    ({ workerConcurrency = Number.POSITIVE_INFINITY, maxWorkers = 10 }) =>
      workerConcurrency >= Math.max(maxWorkers, LEAST_WORKERS),
    {
      when: () => true, // Also when something else is wrong.
      path: ['workerConcurrency'],
      error: 'expected at least maxWorkers, and no fewer than 2, for as many workers may run at a time',
    },
  );

/**
 * Checks the properties of a stack. @throws ValidationError that lists every property with which the stack would not
 * work
 */
export function checkProps(props: JobProcessorProps): void {
  validateNow(propsSchema, props, 'The configuration of JobProcessor');
}

/** Returns a schema for a text. A token passes, because its value is unknown before the stack is deployed. */
function textOf(pattern: RegExp, expected: string) {
  return z.string().refine((text) => Token.isUnresolved(text) || pattern.test(text), {
    error: ({ input }) => `expected ${expected}, not ${JSON.stringify(input)}`,
  });
}
