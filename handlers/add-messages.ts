import * as z from 'zod';
import type { Logger, RemoteProcessor } from '../src/index.js';
import { addJobDataSchema } from '../src/job/job-options.js';
import { validateNow } from '../src/validate.js';
import type { Message } from './worker-event.js';

/** Schema of a message. It equals that of a body of `POST /v1/jobs`. */
const messageSchema = z.strictObject({
  name: z.string(),
  input: z.unknown().optional(),
  options: addJobDataSchema.optional(),
});

/**
 * Adds the jobs of messages of the form `{ "name", "input"?, "options"? }`. The caller counts as one with the role
 * `write`. A job without an id in its options gets one made from the message's id. So a repeated message adds nothing.
 *
 * @param from prefix of the job's id, before the message's id
 * @returns the ids of messages whose jobs were not added. The log says why
 */
export async function addMessages(
  processor: RemoteProcessor,
  from: string,
  messages: readonly Message[],
  log: Logger,
): Promise<string[]> {
  const failed = await Promise.all(
    messages.map(async (message) => {
      try {
        await addMessage(processor, from, message);
        return [];
      } catch (error) {
        log.warn('A message was not added as a job', {
          messageId: message.id,
          error: error instanceof Error ? error.message : String(error),
        });
        return [message.id];
      }
    }),
  );
  return failed.flat();
}

async function addMessage(processor: RemoteProcessor, from: string, { id, body }: Message): Promise<void> {
  const { name, input, options } = validateNow(messageSchema, JSON.parse(body), 'The message');
  await processor.addJob(name, input, { id: `${from}-${id}`, ...options, callerRole: 'write' });
}
