import * as z from 'zod';
import { explainMissing } from './explain-missing.js';
import { once } from './once.js';
import { TwoTries } from './two-tries.js';

/** The members of a secret, which is a JSON object. Their values are not checked yet. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * Time limits in milliseconds: `keptMs` for a try with a client that was used before, `allMs` for both tries together.
 * The first invocation of each container waits for the read, then one invocation every 5 minutes.
 */
const LIMITS = { keptMs: 1_000, allMs: 3_000 };

/**
 * Reads the current version of a secret in AWS Secrets Manager. Errors name the secret, but never contain its content.
 *
 * @param id the secret's name or ARN
 * @returns a function that reads the secret. It rejects if the secret cannot be read, or is not a JSON object
 */
export function secretReader(id: string): () => Promise<Members> {
  const sdk = once(() =>
    import('@aws-sdk/client-secrets-manager').catch(explainMissing('@aws-sdk/client-secrets-manager')),
  );
  const tries = new TwoTries(async () => {
    const { SecretsManagerClient } = await sdk();
    return new SecretsManagerClient({ maxAttempts: 1 });
  }, LIMITS);

  async function fetchText(): Promise<string | undefined> {
    const { GetSecretValueCommand } = await sdk();
    const command = new GetSecretValueCommand({ SecretId: id });
    const answer = await tries.send((client, abortSignal) => client.send(command, { abortSignal }));
    return answer.SecretString;
  }

  return async () => {
    const text = await fetchText().catch((cause: unknown) => {
      throw new Error(`The secret '${id}' could not be read. ${cause}`, { cause });
    });
    const members = membersOf(text);
    if (members) return members;
    throw new Error(
      `The secret '${id}' is no JSON object: expected one such as {"MONGODB_URI":"mongodb+srv://…"}. It is not shown.`,
    );
  };
}

const membersSchema = z.record(z.string(), z.unknown());

/** Parses a secret. Returns undefined for invalid JSON, because the error of `JSON.parse` quotes the text. */
function membersOf(text = ''): Members | undefined {
  try {
    return membersSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
