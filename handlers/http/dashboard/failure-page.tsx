import type { ErrorHandler } from 'hono';
import { isKind } from '../../../src/brand.js';
import { type Logger, ValidationError } from '../../../src/index.js';
import { answerFailure, toProblem } from '../failure.js';
import { invalid } from '../problem.js';
import { asDocument } from './as-document.js';
import type { DashboardEnvironment } from './environment.js';
import { Page } from './page.js';

/** Answers every error with a page that explains it. Details that the user must not see are only logged. */
export function answerWithPage(log: Logger): ErrorHandler<DashboardEnvironment> {
  const answer = answerFailure(log);
  return async (error, context) => {
    const problem = isKind(error, ValidationError) ? invalid(error.issues) : toProblem(error);
    const { message, title } = problem;
    const { status, headers } = await answer(problem.code === 'internal_error' ? error : problem, context);
    headers.set('content-type', 'text/html; charset=utf-8');
    // One that may be over soon is tried again by the script.
    const heals = context.req.method === 'GET' && status >= 500 ? '' : undefined;
    const page = (
      <Page title={title} session={context.env.session}>
        <section class="card" data-problem data-heals={heals}>
          <h1>{title}</h1>
          <p>{message}</p>
          <p>
            <a href="/">Back to the overview</a>
          </p>
        </section>
      </Page>
    );
    return new Response(String(await asDocument(page)), { status, headers });
  };
}
