/*
 * The parameters of serverless.yml that choose among a few values. Refuses, before anything is built, all values at once with
 * which the stack would not work.
 */
const choices = {
  httpAccess: ['keys', 'iam'],
  metrics: ['alarms', 'all'],
  schedules: ['true', 'false'],
  secretsAt: ['start', 'deployment'],
  wakeups: ['true', 'false'],
};

module.exports = async ({ resolveVariable }) => {
  const given = async (name) => String(await resolveVariable(`param:${name}`));
  const entries = await Promise.all(Object.keys(choices).map(async (name) => [name, await given(name)]));
  const chosen = Object.fromEntries(entries);
  const problems = [...entries.map(problemOfChoice), problemOfSecret(await given('secret'), chosen)];
  refuse(problems.filter((problem) => problem !== undefined));
  return chosen;
};

function problemOfChoice([name, value]) {
  if (choices[name].includes(value)) return undefined;
  return `--param ${name}: expected ${choices[name].join(' or ')}, not '${value}'.`;
}

/**
 * Checks the secret's parameter. The permission to read a secret is made of its name. An ARN has another form, with a
 * suffix.
 */
function problemOfSecret(secret, { secretsAt }) {
  if (secretsAt !== 'start' || /^(?!arn:)[\w/+=.@-]{1,512}$/.test(secret)) return undefined;
  const example = 'remote-processor/prod';
  return `--param secret: expected the name of a secret such as ${example}, neither its ARN nor nothing, not '${secret}'. With --param secretsAt=deployment an ARN does, too.`;
}

function refuse(problems) {
  if (problems.length === 0) return;
  const error = new Error(problems.join('\n'));
  error.stack = error.message; // The Serverless Framework prints the stack.
  throw error;
}
