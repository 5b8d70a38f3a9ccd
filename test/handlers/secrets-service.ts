import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LocalServer } from '../local-server.js';

const requestSchema = z.object({ SecretId: z.string() });

/** A stand-in for AWS Secrets Manager, on a socket, with one secret. */
export class SecretsService extends LocalServer {
  /** The ids that were asked for. */
  readonly asked: string[] = [];
  /** The secret. Without one the service refuses. */
  secret: string | undefined;
  /** The name of the error with which it refuses. */
  refusal = 'ResourceNotFoundException';

  protected async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
  }
}
