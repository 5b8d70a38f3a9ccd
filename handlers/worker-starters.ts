import { batchesOf } from '../src/batches-of.js';
import { Arrivals } from './arrivals.js';
import { explainMissing } from './explain-missing.js';
import { once } from './once.js';
import { TwoTries } from './two-tries.js';
import { type WakeUp, wakeUpBody } from './wake-up-event.js';

/** A way to start workers. If a request fails, each method rejects within about a second. */
export interface WorkerStarter {
  /** Starts as many workers as `wakeUp` requests, now. */
  start(wakeUp: WakeUp): Promise<void>;
  /** Starts one worker at each of these moments, given in milliseconds from now. */
  startLater(dueInMs: readonly number[]): Promise<void>;
}

/** The region and endpoint of a service. Default: AWS's own, in the region of the environment. */
export interface Place {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** Maximum number of messages in a request. */
const BATCH = 10;

/**
 * Starts workers by SQS messages. One message serves any number of workers, since each worker starts the next. So a
 * burst starts only as many workers at a time as the queue's event source mapping allows. Further requests wait in the
 * queue.
 */
export function queueStarter(QueueUrl: string, region: string | undefined): WorkerStarter {
  const sdk = once(() => import('@aws-sdk/client-sqs').catch(explainMissing('@aws-sdk/client-sqs')));
  const tries = new TwoTries(async () => {
    const { SQSClient } = await sdk();
    return new SQSClient({ maxAttempts: 1, endpoint: new URL(QueueUrl).origin, ...(region && { region }) });
  });
  const arrivals = new Arrivals();

  async function send(bodies: readonly { readonly body: string; readonly seconds: number }[]): Promise<void> {
    if (bodies.length === 0) return;
    const { SendMessageBatchCommand } = await sdk();
    const Entries = bodies.map(({ body, seconds }, index) => ({
      Id: `${index}`,
      MessageBody: body,
      DelaySeconds: seconds,
    }));
    const command = new SendMessageBatchCommand({ QueueUrl, Entries });
    await tries.send(async (client, abortSignal) => {
      const { Failed = [] } = await client.send(command, { abortSignal });
      if (Failed[0]) throw new Error(`${Failed.length} messages were refused: ${Failed[0].Message}`);
    });
  }

  return {
    start: (wakeUp) => send([{ body: wakeUpBody(wakeUp), seconds: 0 }]),
    async startLater(dueInMs) {
      const body = wakeUpBody({ depth: 0, workers: 1 });
      const later = arrivals.add(dueInMs).map((seconds) => ({ body, seconds }));
      try {
        await Promise.all(batchesOf(later, BATCH).map(send));
      } catch (error) {
        arrivals.forget();
        throw error;
      }
    },
  };
}

/** Starts each worker by an asynchronous invocation. `startLater` does nothing. */
export function invocationStarter(FunctionName: string, { region, endpoint }: Place): WorkerStarter {
  // Loaded only for a kick, since the SDK makes up most of the bundle and of a cold start.
  const sdk = once(() => import('@aws-sdk/client-lambda').catch(explainMissing('@aws-sdk/client-lambda')));
  const tries = new TwoTries(async () => {
    const { LambdaClient } = await sdk();
    return new LambdaClient({ maxAttempts: 1, ...(region && { region }), ...(endpoint && { endpoint }) });
  });
  return {
    async start({ depth, workers }) {
      const { InvokeCommand } = await sdk();
      const Payload = JSON.stringify({ kick: { depth } });
      const command = new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload });
      const invoke = () => tries.send((client, abortSignal) => client.send(command, { abortSignal }));
      await Promise.all(Array.from({ length: workers }, invoke));
    },
    async startLater() {},
  };
}

/** Does not start any workers. */
export const noStarter: WorkerStarter = { start: async () => {}, startLater: async () => {} };
