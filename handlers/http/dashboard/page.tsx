import type { Context } from 'hono';
import type { Child } from 'hono/jsx';
import type { Verdict } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { asDocument } from './as-document.js';
import { addresses } from './assets.js';
import type { DashboardEnvironment } from './environment.js';
import { type Look, LookSwitches, lookOf, usualLook } from './look.js';
import { type Notice, takeNotice } from './notice.js';
import { TimesContext } from './parts/times.js';
import { auditPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';
import { failureIn, VerdictLine } from './verdict.js';

/** The sections that are always in sight: paths, names, and keys that lead to them after `g`. */
const sections = [
  ['/', 'Overview', 'o'],
  ['/dashboard/jobs', 'Jobs', 'j'],
  ['/dashboard/kinds', 'Kinds', 'k'],
  ['/dashboard/failures', 'Failures', 'f'],
  ['/dashboard/schedulers', 'Schedules', 's'],
  ['/dashboard/queues', 'Queues', 'q'],
  ['/dashboard/workers', 'Workers', 'r'],
  ['/dashboard/job-factories', 'Add a job', 'a'],
] as const;

/** The sections that few people need every day. A person must unfold them. */
const moreSections = [
  ['/dashboard/operations', 'Operations', 'p'],
  ['/dashboard/batches', 'Batches', 'b'],
  ['/dashboard/workflows', 'Workflows', 'w'],
  ['/dashboard/limits', 'Limits', 'l'],
  ['/dashboard/audit', 'Audit', 'u'],
  ['/dashboard/api', 'API', 'i'],
] as const;

type Section = (typeof sections | typeof moreSections)[number][0];

interface PageProps {
  readonly title: string;
  readonly session?: Session | undefined;
  readonly section?: Section;
  readonly notice?: Notice | undefined;
  readonly verdict?: Verdict | undefined;
  readonly look?: Look;
  /** The page's own path and query. Forms lead back there. */
  readonly here?: string;
  readonly children?: Child;
}

/** Responds with a page of the dashboard to a signed-in user. @param status default 200 */
export async function showPage(
  context: Context<DashboardEnvironment>,
  {
    status = 200,
    ...props
  }: Omit<PageProps, 'session' | 'verdict' | 'look' | 'here'> & { readonly status?: 200 | 404 | 409 | 422 },
) {
  const notice = props.notice ?? takeNotice(context);
  const verdict = await context.get('state').verdict();
  const { pathname, search } = new URL(context.req.url);
  const shown = { session: context.get('session'), look: lookOf(context), here: pathname + search };
  const page = (
    <TimesContext.Provider value={shown.look.times}>
      <Page {...props} {...shown} notice={notice} verdict={verdict} />
    </TimesContext.Provider>
  );
  return context.html(asDocument(page), status);
}

/** The frame of all pages. */
export function Page({
  title,
  session,
  section,
  notice,
  verdict,
  look = usualLook,
  here = '/',
  children,
}: PageProps) {
  const titles = [failureIn(verdict), title, 'Remote Processor'];
  return (
    <html lang="en" data-theme={look.theme} data-refresh={look.refresh} data-shortcuts={look.shortcuts}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={look.theme === 'system' ? 'light dark' : look.theme} />
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
        {session && (
          <footer>
            <LookSwitches look={look} session={session} here={here} />
          </footer>
        )}
      </body>
    </html>
  );
}

interface HeaderProps {
  readonly session: Session;
  readonly section: Section | undefined;
}

function Header({ session, section }: HeaderProps) {
  const more = moreSections.filter(([path]) => path !== auditPath || may(session, 'admin'));
  const chosen = more.find(([path]) => path === section);
  return (
    <header class="bar">
      <a class="brand" href="/">
        <img src={addresses.icon} alt="" width="24" height="24" />
        <span>Remote Processor</span>
      </a>
      <nav aria-label="Sections">
        <SectionLinks sections={sections} section={section} />
        <details class="more">
          <summary class={chosen && 'chosen'}>{chosen ? `More: ${chosen[1]}` : 'More'}</summary>
          <div>
            <SectionLinks sections={more} section={section} />
          </div>
        </details>
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

interface SectionLinksProps extends Pick<HeaderProps, 'section'> {
  readonly sections: readonly (readonly [path: string, name: string, key: string])[];
}

function SectionLinks({ sections: shown, section }: SectionLinksProps) {
  return shown.map(([path, name, key]) => (
    <a href={path} data-key={key} aria-current={path === section ? 'page' : undefined}>
      {name}
    </a>
  ));
}
