import type { Context } from 'hono';
import type { DashboardEnvironment } from './environment.js';
import { showPage } from './page.js';

const CONFIRMED = 'confirmed';

/** Returns whether the user confirmed a form. The script asks within the page, `askToConfirm` on a separate page. */
export function isConfirmed(form: URLSearchParams): boolean {
  return form.get(CONFIRMED) === 'yes';
}

interface Question {
  readonly question: string;
  readonly label: string;
  readonly section:
    | '/dashboard/jobs'
    | '/dashboard/batches'
    | '/dashboard/workflows'
    | '/dashboard/schedulers';
  /** The path to return to without confirming. */
  readonly back: string;
}

/** Answers a form with a page that asks for confirmation. It contains the same form, marked as confirmed. */
export function askToConfirm(
  context: Context<DashboardEnvironment>,
  { question, label, section, back }: Question,
) {
  return showPage(context, {
    title: label,
    section,
    children: (
      <form class="card stack" method="post" action={new URL(context.req.url).pathname}>
        <h1>{question}</h1>
        {[...context.get('form')].map(([name, value]) => (
          <input type="hidden" name={name} value={value} />
        ))}
        <input type="hidden" name={CONFIRMED} value="yes" />
        <p class="actions">
          <button type="submit" class="danger">
            {label}
          </button>
          <a class="button" href={back}>
            No, go back
          </a>
        </p>
      </form>
    ),
  });
}
