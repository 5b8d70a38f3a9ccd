/*
 * Checks the parameters of serverless.yml before anything is built, and the variables that are passed on to the
 * functions. Reports all wrong values at once. Returns the parameters that choose among a few values.
 */
const choices = {
  httpAccess: ['keys', 'iam'],
  metrics: ['alarms', 'all'],
  schedules: ['true', 'false'],
  secretsAt: ['start', 'deployment'],
  wakeups: ['true', 'false'],
};

/** Lowest and highest values. AWS limits the first two, and the periods of an alarm to a day. */
const wholeNumbers = {
  workerTimeout: [1, 900],
  alarmSilentMinutes: [1, 1440],
  httpRateLimit: [1, 1e6],
  httpBurstLimit: [1, 1e6],
  alarmOldestWaitingSeconds: [1, 1e9],
  alarmUnclaimedSeconds: [1, 1e9],
  alarmJobErrors: [1, 1e9],
  alarmRefused: [1, 1e9],
  alarmFunctionErrors: [1, 1e9],
  alarmThrottles: [1, 1e9],
  alarmServerErrors: [1, 1e9],
};

/** Lowest and highest values of parameters that may be empty. 0 is refused, since it would switch the function off. */
const reservations = { httpConcurrency: [1, 1e6], workerConcurrency: [1, 1e6] };

/** Patterns of texts. A text may also be empty. */
const texts = {
  subnets: [listOf('subnet'), 'ids of subnets such as subnet-0a1b, separated by commas, without blanks'],
  securityGroups: [
    listOf('sg'),
    'ids of security groups such as sg-0a1b, separated by commas, without blanks',
  ],
  alarmTopic: [/^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]+$/, 'the ARN of an SNS topic'],
};

/** Parameters that become variables of the functions. The functions check them in the same way when they start. */
const variables = {
  allowedHosts: 'ALLOWED_HOSTS',
  collectionPrefix: 'COLLECTION_PREFIX',
  corsOrigins: 'CORS_ORIGINS',
};

/** Variables of the deploying environment that are passed on to the functions. */
const passedOn = [
  'DEADLINE_MARGIN',
  'INDEX_BY_QUEUE',
  'LINGER',
  'LOG_LEVEL',
  'MAX_THREADS',
  'MAX_WORKERS',
  'MONGODB_DATABASE',
  'QUEUES',
  'WEBHOOK_ALLOW_PRIVATE_ADDRESSES',
];

/** Variables that are passed on even if empty. Other empty variables count as not set. */
const heededWhenEmpty = ['COLLECTION_PREFIX', 'MAX_WORKERS'];

/** The default in serverless.yml. */
const DEFAULT_MAX_WORKERS = 10;

/** The lowest maximum concurrency that SQS's event source mapping allows. */
const LEAST_BY_QUEUE = 2;

module.exports = async ({ options, resolveVariable, resolveConfigurationProperty }) => {
  const names = [choices, wholeNumbers, reservations, texts, variables].flatMap(Object.keys);
  const read = async (name) => [name, String((await resolveVariable(`param:${name}`)) ?? '')];
  const given = Object.fromEntries(await Promise.all([...names, 'secret'].map(read)));
  const stages = Object.values(await resolveConfigurationProperty(['params']));
  const known = [...new Set(stages.flatMap(Object.keys))];
  refuse([
    ...(options.param ?? []).map((text) => problemOfName(text.split('=', 1)[0], known)),
    ...Object.entries(choices).map(([name, allowed]) => problemOfChoice(name, allowed, given)),
    problemOfSecret(given),
    ...Object.entries(wholeNumbers).map(([name, range]) => problemOfNumber(name, range, given)),
    ...Object.entries(reservations).map(
      ([name, range]) => given[name] && problemOfNumber(name, range, given),
    ),
    ...Object.entries(texts).map(([name, form]) => given[name] && problemOfText(name, form, given)),
    problemOfVpc(given),
    ...(await problemsOfVariables(given)),
    problemOfWorkers(given),
  ]);
  return Object.fromEntries(Object.keys(choices).map((name) => [name, given[name]]));
};

/**
 * Returns a problem for an unknown name. The framework would ignore the name, so with `wakups=false` the queue would
 * stay.
 */
function problemOfName(name, known) {
  return known.includes(name)
    ? undefined
    : `--param ${name}: there is no such parameter; expected one of ${known.join(', ')}.`;
}

function problemOfChoice(name, allowed, given) {
  return allowed.includes(given[name]) ? undefined : wrong(name, allowed.join(' or '), given);
}

/**
 * Checks the parameter `secret`. It must be a name, because the permission to read the secret is derived from the name.
 * An ARN ends with a suffix.
 */
function problemOfSecret({ secret, secretsAt }) {
  if (secretsAt !== 'start' || /^(?!arn:)[\w/+=.@-]{1,512}$/.test(secret)) return undefined;
  const example = 'remote-processor/prod';
  return `--param secret: expected the name of a secret such as ${example}, neither its ARN nor nothing, not '${secret}'. With --param secretsAt=deployment an ARN does, too.`;
}

function problemOfNumber(name, [least, most], given) {
  const number = /^\d{1,10}$/.test(given[name]) ? Number(given[name]) : Number.NaN;
  return number >= least && number <= most
    ? undefined
    : wrong(name, `a whole number from ${least} to ${most}`, given);
}

function problemOfText(name, [pattern, expected], given) {
  return pattern.test(given[name]) ? undefined : wrong(name, expected, given);
}

function listOf(kind) {
  return new RegExp(`^${kind}-\\w+(,${kind}-\\w+)*$`);
}

/**
 * Requires both subnets and security groups, or neither. CloudFormation would accept one alone, and deploy a function
 * without a VPC, or with an empty id.
 */
function problemOfVpc({ subnets, securityGroups }) {
  if ((subnets === '') === (securityGroups === '')) return undefined;
  return 'The parameters subnets and securityGroups go together: expected both, or neither.';
}

/** Checks variables with the schema by which the functions read them. */
async function problemsOfVariables(given) {
  const { tsImport } = await import('tsx/esm/api');
  const { configSchema } = await tsImport('../../src/config.ts', __filename);
  const isSet = ([name, text]) =>
    text !== undefined && (text.trim() !== '' || heededWhenEmpty.includes(name));
  const entries = [
    ...Object.entries(variables).map(([parameter, name]) => [name, given[parameter], `--param ${parameter}`]),
    ...passedOn.map((name) => [name, process.env[name], name]),
  ];
  return entries.filter(isSet).flatMap(([name, text, told]) => {
    const { error } = configSchema.shape[name].safeParse(text);
    return error ? error.issues.map(({ message }) => `${told}: ${message}.`) : [];
  });
}

/** Checks the reserved concurrency of the worker. If it is too low, Lambda throttles further workers. */
function problemOfWorkers({ workerConcurrency, wakeups }) {
  const maxWorkers = Number(process.env.MAX_WORKERS || DEFAULT_MAX_WORKERS);
  const least = wakeups === 'true' ? Math.max(maxWorkers, LEAST_BY_QUEUE) : maxWorkers;
  if (workerConcurrency === '' || !(Number(workerConcurrency) < least)) return undefined;
  return `--param workerConcurrency: expected at least ${least}, for as many workers may run at a time (MAX_WORKERS, and no fewer than 2 by a queue), not '${workerConcurrency}'.`;
}

function wrong(name, expected, given) {
  return `--param ${name}: expected ${expected}, not '${given[name]}'.`;
}

/**
 * Throws an error that lists the problems, if there are any.
 * @param found problems, or falsy values where there are none
 */
function refuse(found) {
  const problems = found.filter(Boolean);
  if (problems.length === 0) return;
  const error = new Error(problems.join('\n'));
  error.stack = error.message; // The Serverless Framework prints the stack.
  throw error;
}
