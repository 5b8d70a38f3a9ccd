import type { Context } from 'hono';
import type { Child } from 'hono/jsx';
import type { Verdict } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { asDocument } from './as-document.js';
import { addresses } from './assets.js';
import type { DashboardEnvironment } from './environment.js';
import { type Notice, takeNotice } from './notice.js';
import { auditPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';
import { failureIn, VerdictLine } from './verdict.js';

const sections = [
  ['/', 'Overview'],
  ['/dashboard/jobs', 'Jobs'],
  ['/dashboard/kinds', 'Kinds'],
  ['/dashboard/failures', 'Failures'],
  ['/dashboard/operations', 'Operations'],
  ['/dashboard/batches', 'Batches'],
  ['/dashboard/workflows', 'Workflows'],
  ['/dashboard/schedulers', 'Schedules'],
  ['/dashboard/limits', 'Limits'],
  ['/dashboard/audit', 'Audit'],
  ['/dashboard/job-factories', 'Add a job'],
] as const;

type Section = (typeof sections)[number][0];

interface PageProps {
  readonly title: string;
  readonly session?: Session | undefined;
  readonly section?: Section;
  readonly notice?: Notice | undefined;
  readonly verdict?: Verdict | undefined;
  readonly children?: Child;
}

/** Responds with a page of the dashboard to a signed-in user. @param status default 200 */
export async function showPage(
  context: Context<DashboardEnvironment>,
  {
    status = 200,
    ...props
  }: Omit<PageProps, 'session' | 'verdict'> & { readonly status?: 200 | 404 | 409 | 422 },
) {
  const notice = props.notice ?? takeNotice(context);
  const verdict = await context.get('verdict')();
  const page = <Page {...props} session={context.get('session')} notice={notice} verdict={verdict} />;
  return context.html(asDocument(page), status);
}

/** The frame of all pages. */
export function Page({ title, session, section, notice, verdict, children }: PageProps) {
  const titles = [failureIn(verdict), title, 'Remote Processor'];
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{titles.filter((part) => part !== undefined).join(' · ')}</title>
        <link rel="icon" href={addresses.icon} type="image/svg+xml" />
        <link rel="stylesheet" href={addresses.style} />
        <script type="module" src={addresses.script} />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <div id="header">{session && <Header session={session} section={section} />}</div>
        {session && section !== '/' && <VerdictLine verdict={verdict} />}
        <div id="notice" role="status" aria-live="polite">
          {notice && <p class={`notice ${notice.kind}`}>{notice.text}</p>}
        </div>
        <main id="main" tabindex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}

function Header({ session, section }: { session: Session; section: Section | undefined }) {
  return (
    <header class="bar">
      <a class="brand" href="/">
        <img src={addresses.icon} alt="" width="24" height="24" />
        <span>Remote Processor</span>
      </a>
      <nav aria-label="Sections">
        {sections.map(
          ([path, name]) =>
            (path !== auditPath || may(session, 'admin')) && (
              <a href={path} aria-current={path === section ? 'page' : undefined}>
                {name}
              </a>
            ),
        )}
      </nav>
      <form method="post" action="/sign-out" class="who" data-plain>
        <TokenField session={session} />
        <span class="quiet">
          {session.caller.id} ({session.caller.role})
        </span>
        <button type="submit" class="small">
          Sign out
        </button>
      </form>
    </header>
  );
}
