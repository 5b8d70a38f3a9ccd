import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { LocalServer } from '../local-server.js';

const requestSchema = z.object({
  QueueUrl: z.string(),
  Entries: z.array(
    z.object({ Id: z.string(), MessageBody: z.string(), DelaySeconds: z.int().min(0).max(900) }),
  ),
});

/** A message that was sent. */
export interface Message {
  readonly body: string;
  readonly delaySeconds: number;
}

/** A stand-in for a queue of AWS's SQS, on a socket. It records what the SDK sends. */
export class SqsService extends LocalServer {
  readonly messages: Message[] = [];
  requests = 0;
  /** The status of its answers. */
  answer = 200;
  /** Called with each message. */
  onMessage: (message: Message) => void = () => {};

  protected async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const { Entries: entries } = requestSchema.parse(JSON.parse(await text(request)));
    if (request.headers['x-amz-target'] !== 'AmazonSQS.SendMessageBatch' || entries.length > 10)
      return void response.writeHead(400).end();
    if (this.answer !== 200) return void response.writeHead(this.answer).end('{}');
    for (const { MessageBody: body, DelaySeconds: delaySeconds } of entries) {
      const message = { body, delaySeconds };
      this.messages.push(message);
      this.onMessage(message);
    }
    const Successful = entries.map(({ Id, MessageBody }) => ({
      Id,
      MessageId: Id,
      MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
    }));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ Successful, Failed: [] }));
  }

  /** The value for `WAKE_UP_QUEUE_URL`. */
  get queueUrl(): string {
    return `${this.url}/123456789012/wakeups`;
  }

  /** The delays of all messages, in seconds. */
  get delays(): number[] {
    return this.messages.map(({ delaySeconds }) => delaySeconds);
  }
}

/** Returns the event with which SQS invokes a function for these messages. */
export function queueEvent(...bodies: readonly string[]) {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `${index}`,
      receiptHandle: `handle of ${index}`,
      body,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:123456789012:wakeups',
      awsRegion: 'eu-central-1',
    })),
  };
}
