import type { Role } from '../../../src/access/role.js';
import type { RemoteProcessor } from '../../../src/index.js';
import { parseJson } from '../parse-json.js';
import { invalid } from '../problem.js';
import type { Notice } from './notice.js';

/** Sends the signal of a form: the answer of a callback, or a name with a payload as JSON. @throws Problem */
export async function sendSignal(
  processor: RemoteProcessor,
  id: string,
  form: URLSearchParams,
  callerRole: Role,
): Promise<Notice> {
  const name = form.get('name') ?? '';
  const answer = form.get('answer');
  const isAnswer = answer === 'approve' || answer === 'refuse';
  const payload = isAnswer
    ? toAnswer(answer, form.get('comment') ?? '')
    : toPayload(form.get('payload') ?? '');
  // The first answer of a callback counts, whether it is given here or by the link.
  const { outcome } = await processor.signal(id, name, payload, {
    ...(isAnswer && { signalId: name }),
    callerRole,
  });
  if (outcome === 'duplicate') return { kind: 'problem', text: 'It was answered before.' };
  return { kind: 'done', text: isAnswer ? 'Your answer was stored.' : `The signal ${name} was sent.` };
}

function toAnswer(answer: 'approve' | 'refuse', given: string) {
  const comment = given.trim();
  return { approved: answer === 'approve', ...(comment !== '' && { comment }) };
}

function toPayload(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    const message = `expected JSON: ${error instanceof Error ? error.message : error}`;
    throw invalid([{ path: 'payload', message }]);
  }
}
