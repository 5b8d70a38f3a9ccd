import type { Verdict, VerdictFinding } from '../../../src/index.js';
import { numberOf } from '../../../src/verdict/finding.js';
import type { Session } from '../session/session.js';
import { Moment } from './parts/moment.js';
import {
  failuresOfPath,
  jobsPath,
  limitPath,
  limitsPath,
  operationsPath,
  queuesPath,
  schedulerPath,
} from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

/** Maximum number of findings on the overview. */
const SHOWN = 12;

/** Shows the findings of the verdict, since when each is true, and buttons that help at once. */
export function VerdictCard({
  verdict,
  session,
  now,
}: {
  verdict: Verdict | undefined;
  session: Session;
  now: Date;
}) {
  const { findings = [] } = verdict ?? {};
  return (
    <section class="card" id="verdict" data-live aria-labelledby="verdict-title">
      <h2 id="verdict-title" class={verdict?.isWell ? 'well' : undefined}>
        {verdict ? summaryOf(verdict) : 'The state could not be judged'}
      </h2>
      {verdict === undefined && <p>The log of the HTTP function says why.</p>}
      {findings.length > 0 && (
        <ul class="list findings">
          {findings.slice(0, SHOWN).map((finding) => (
            <Finding finding={finding} session={session} now={now} />
          ))}
          {findings.length > SHOWN && <li class="quiet">and {findings.length - SHOWN} more</li>}
        </ul>
      )}
    </section>
  );
}

/** Shows the worst finding, on pages other than the overview. Shows nothing if all is well. */
export function VerdictLine({ verdict }: { verdict: Verdict | undefined }) {
  const [worst, ...others] = verdict?.findings ?? [];
  return (
    <aside id="verdict" data-live aria-label="What is wrong">
      {worst && (
        <p class={`notice ${worst.severity === 'failure' ? 'problem' : 'warned'}`}>
          {shortly(worst)} {others.length > 0 && `and ${others.length} more `}
          <a href="/">See</a>
        </p>
      )}
    </aside>
  );
}

/**
 * Returns the worst failure in a few words, for the title of a page. Undefined if there is none. Warnings are left out.
 */
export function failureIn(verdict: Verdict | undefined): string | undefined {
  const [worst] = verdict?.findings ?? [];
  if (worst?.severity !== 'failure') return undefined;
  return shortly(worst);
}

const MAX_SHORT = 60;

/** Returns the beginning of a finding's text, without counts and messages. */
function shortly({ text }: VerdictFinding): string {
  const [beginning = ''] = text.split(/ \(|; |, /);
  return beginning.length > MAX_SHORT ? `${beginning.slice(0, MAX_SHORT).toWellFormed()}…` : beginning;
}

function summaryOf({ isWell, findings }: Verdict): string {
  if (isWell) return 'All well';
  const failures = findings.filter(({ severity }) => severity === 'failure').length;
  const warnings = findings.length - failures;
  const parts = [
    ...(failures > 0 ? [numberOf(failures, 'failure')] : []),
    ...(warnings > 0 ? [numberOf(warnings, 'warning')] : []),
  ];
  return parts.join(', ');
}

interface FindingProps {
  readonly finding: VerdictFinding;
  readonly session: Session;
  readonly now: Date;
}

function Finding({ finding, session, now }: FindingProps) {
  const { severity, text, advice, since } = finding;
  return (
    <li>
      <span>
        <span class={`status ${severity === 'failure' ? 'error' : 'paused'}`}>{severity}</span> {text}
        <span class="hint">
          {since && (
            <>
              Began <Moment at={since} now={now} />.{' '}
            </>
          )}
          {advice}
        </span>
      </span>
      <span class="actions">
        <a class="button small" href={seePath(finding)} aria-label={`See: ${text}`}>
          See
        </a>
        {finding.actions.map((action) => (
          <ActionForm action={action} finding={finding} session={session} />
        ))}
      </span>
    </li>
  );
}

/** Returns the path of the page about the subject of a finding. */
function seePath({ code, about: { type, name } }: VerdictFinding): string {
  switch (type) {
    case 'job':
      return failuresOfPath(name);
    case 'queue':
      return jobsPath({ queue: name, status: 'queued' });
    case 'schedule':
      return schedulerPath(name);
    case 'limit':
      return limitPath(name);
    case 'deployment':
      return jobsPath({ status: code === 'lost_jobs' ? 'processing' : 'queued' });
  }
}

interface ActionProps extends Pick<FindingProps, 'finding' | 'session'> {
  readonly action: VerdictFinding['actions'][number];
}

/** A button with an action that helps with a finding. Shows nothing if the user may not do it. */
function ActionForm({ action, finding, session }: ActionProps) {
  const form = formOf(action, finding);
  if (!form || !may(session, form.role)) return null;
  return (
    <form method="post" action={form.path}>
      <TokenField session={session} />
      {Object.entries(form.fields).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button
        type="submit"
        name="action"
        value={action}
        class={action === 'retry' ? 'small primary' : 'small'}
        aria-label={`${form.label}: ${finding.text}`}
      >
        {form.label}
      </button>
    </form>
  );
}

interface FormOfAction {
  readonly label: string;
  readonly path: string;
  readonly role: 'write' | 'admin';
  readonly fields: Readonly<Record<string, string>>;
}

function formOf(
  action: ActionProps['action'],
  { about, queue, failureKey, jobId }: VerdictFinding,
): FormOfAction | undefined {
  const ofQueue = { path: queuesPath, role: 'admin' } as const;
  const ofLimit = { path: limitsPath, role: 'admin', fields: { key: about.name } } as const;
  switch (action) {
    case 'see':
      return undefined;
    case 'retry':
      if (failureKey !== undefined)
        return {
          label: 'Retry this failure',
          path: operationsPath,
          role: 'write',
          fields: { failureKey, status: 'error' },
        };
      return jobId === undefined
        ? undefined
        : { label: 'Retry it', path: '/dashboard/jobs', role: 'write', fields: { id: jobId } };
    case 'pause':
      return queue === undefined
        ? undefined
        : { label: `Pause queue ${queue}`, ...ofQueue, fields: { queue, from: 'overview' } };
    case 'resume':
      return queue === undefined
        ? { label: about.name.startsWith('breaker ') ? 'Close it' : 'Resume', ...ofLimit }
        : { label: 'Resume', ...ofQueue, fields: { queue, from: 'overview' } };
    case 'skip':
      return { label: 'Skip it', ...ofLimit };
  }
}
