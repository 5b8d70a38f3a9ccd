import { isKind } from '../../../src/brand.js';
import { configSchema, type Environment, readEnvironment } from '../../../src/config.js';
import { ValidationError } from '../../../src/errors.js';
import { type Finding, failure, ok, warning } from './finding.js';

const CHECK = 'configuration';

/** Checks the environment variables. Lists every invalid one, and says what a missing one disables. */
export function checkConfiguration(env: Environment): Finding[] {
  try {
    const config = readEnvironment(configSchema, env);
    const findings = config.MONGODB_URI === undefined ? [noDatabase] : [ok(CHECK, 'every variable is valid')];
    return config.API_KEYS.length > 0 ? findings : [...findings, noApiKeys];
  } catch (error) {
    if (!isKind(error, ValidationError)) throw error;
    return error.issues.map(({ path, message }) =>
      failure(CHECK, `${path}: ${message}`, `Correct ${path}: see docs/configuration.md`),
    );
  }
}

const noDatabase = failure(
  CHECK,
  'MONGODB_URI is not set',
  'Set it to the connection string of a replica set, or give --url to check a deployment',
);

const noApiKeys = warning(
  'API keys',
  'API_KEYS is not set here: a function with these settings refuses every request',
  'Set it where the http function runs. Without an http function, ignore this',
);
