import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const requestSchema = z.object({ SecretId: z.string() });

/** A stand-in for AWS Secrets Manager, on a socket: it has one secret. */
export class SecretsService {
  /** The ids that were asked for. */
  readonly asked: string[] = [];
  /** What the secret is; without one it refuses. */
  secret: string | undefined;
  /** How it refuses, by the name of the error. */
  refusal = 'ResourceNotFoundException';
  readonly #server = createServer(async (request, response) => {
    const { SecretId: id } = requestSchema.parse(JSON.parse(await text(request)));
    this.asked.push(id);
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    if (request.headers['x-amz-target'] !== 'secretsmanager.GetSecretValue')
      return void response.writeHead(404).end();
    if (this.secret === undefined)
      return void response
        .writeHead(400)
        .end(JSON.stringify({ __type: this.refusal, message: 'Nothing here is for you.' }));
    const answer = { ARN: `arn:of:${id}`, Name: id, SecretString: this.secret, VersionId: '1' };
    response.writeHead(200).end(JSON.stringify(answer));
  });

  /** What `AWS_ENDPOINT_URL_SECRETS_MANAGER` is told. */
  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The service has no port.');
    return `http://127.0.0.1:${address.port}`;
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}
