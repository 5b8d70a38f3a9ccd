import type { ErrorHandler } from 'hono';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import type { HtmlEscapedString } from 'hono/utils/html';
import { connectedCollections } from '../../../src/collections/connected-collections.js';
import type { Logger, RemoteProcessor } from '../../../src/index.js';
import { type CallbackOf, callbackLinks, callbackSignal } from '../../../src/step/callbacks.js';
import { type FoundCallback, findCallback } from '../../../src/step/find-callback.js';
import { record } from '../audit/record-change.js';
import { targetOf } from '../audit/targets.js';
import { isJson, readJson } from '../body.js';
import { clientAddress, UNKNOWN } from '../client-address.js';
import { asDocument } from '../dashboard/as-document.js';
import { readForm } from '../dashboard/read-form.js';
import { answerFailure, toProblem } from '../failure.js';
import { invalid, Problem } from '../problem.js';
import { explainRefusal } from '../route.js';
import type { WrongKeys } from '../wrong-keys.js';
import { CallbackPage, Message, styleHash } from './page.js';

export interface CallbackOptions {
  readonly processor: RemoteProcessor;
  readonly wrongKeys: WrongKeys;
  readonly ready: () => Promise<void>;
  readonly log: Logger;
}

/** Maximum size of the form, whose comment is stored with the job. */
const MAX_FORM_BYTES = 32 * 1024;

/**
 * Makes the pages of callbacks. `GET` shows the question and changes nothing, since programs that check mails open
 * links. `POST` answers, by the form of the page or with any JSON. The first answer wins.
 */
export function createCallbackPages({ processor, wrongKeys, ready, log }: CallbackOptions): Hono {
  return new Hono()
    .onError(answerWithPage(log))
    .use(securityHeaders)
    .use(async ({ header }, next) => {
      header('x-robots-tag', 'noindex, nofollow');
      await next();
    })
    .get('/callbacks/:token', async (context) => {
      const { of, found } = await requireOpen(context.req.param('token'), context.env);
      return context.html(asDocument(<CallbackPage step={of.step} jobName={found.jobName ?? ''} />));
    })
    .post('/callbacks/:token', async (context) => {
      const { of } = await requireOpen(context.req.param('token'), context.env);
      const payload = await readAnswer(context.req.raw);
      const signal = callbackSignal(of);
      const sent = await processor
        .signal(of.jobId, signal, payload, { signalId: signal })
        .catch(explainRefusal);
      if (sent.outcome === 'duplicate') throw answered();
      await recordAnswer(of, context.env);
      const { jobId, step } = of;
      log.info('Callback answered', { jobId, step, address: clientAddress(context.env) });
      if (!wantsPage(context.req.header('accept'))) return context.json(sent);
      return context.html(asDocument(<Message title="Thank you" text="Your answer was stored." />));
    });

  async function requireOpen(
    token: string,
    environment: unknown,
  ): Promise<{ readonly of: CallbackOf; readonly found: FoundCallback }> {
    const of = processor[callbackLinks]()?.read(token);
    if (!of) throw await refusal(clientAddress(environment));
    await ready();
    const found = await findCallback(await processor[connectedCollections](), of);
    if (found.state === 'answered') throw answered();
    if (found.state === 'over') throw new Problem('callback_over', { detail: OVER });
    return { of, found };
  }

  async function recordAnswer({ jobId, step }: CallbackOf, environment: unknown): Promise<void> {
    const address = clientAddress(environment);
    await record(processor, log, {
      who: 'link',
      via: 'link',
      ...(address !== UNKNOWN && { address }),
      action: 'answerCallback',
      targets: [targetOf('jobs', jobId)],
      changes: [{ field: 'step', after: step }],
    });
  }

  /** Returns the problem for a forged link. Forged links count as wrong keys. A link that was made here always works. */
  async function refusal(address: string): Promise<Problem> {
    const limitedMs = await wrongKeys.count(address);
    if (limitedMs === undefined) return new Problem('not_found', { detail: 'This link was not made here.' });
    return new Problem('too_many_wrong_keys', {
      detail: 'Too many wrong links or keys came from this address.',
      headers: { 'retry-after': String(Math.ceil(limitedMs / 1000)) },
    });
  }
}

function answered(): Problem {
  return new Problem('callback_answered', {
    detail: 'The first answer counts, and later ones change nothing.',
  });
}

const OVER =
  'It was not answered in time, or its job has ended or gone on without an answer. An answer changes nothing any more.';

const EXPECTED = 'Expected any JSON as application/json, or the form of the page.';

/** Returns the answer in a request: any JSON, or what the form says. @throws Problem */
async function readAnswer(request: Request): Promise<unknown> {
  if (isJson(request.headers.get('content-type') ?? '')) return readJson(request);
  const form = await readForm(request, MAX_FORM_BYTES, EXPECTED);
  const answer = form.get('answer');
  if (answer !== 'approve' && answer !== 'refuse')
    throw invalid([{ path: 'answer', message: 'expected approve or refuse' }]);
  const comment = form.get('comment')?.trim() ?? '';
  return { approved: answer === 'approve', ...(comment !== '' && { comment }) };
}

/** Answers an error with a page for a browser, and with a problem document for others. */
function answerWithPage(log: Logger): ErrorHandler {
  const answer = answerFailure(log);
  return async (error, context) => {
    const response = await answer(error, context);
    if (!wantsPage(context.req.header('accept'))) return response;
    const { title, message } = toProblem(error);
    const { status, headers } = response;
    headers.set('content-type', 'text/html; charset=utf-8');
    const page: HtmlEscapedString | Promise<HtmlEscapedString> = <Message title={title} text={message} />;
    return new Response(String(await asDocument(page)), { status, headers });
  };
}

function wantsPage(accept = ''): boolean {
  return accept.includes('text/html');
}

/** Forbids the page to load anything or to run scripts. */
const securityHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [styleHash],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
  // Other sites never see the link. With `no-referrer`, browsers send forms with `Origin: null`.
  referrerPolicy: 'same-origin',
});
