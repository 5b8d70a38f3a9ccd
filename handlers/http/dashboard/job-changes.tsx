import type { Role } from '../../../src/access/role.js';
import { isKind } from '../../../src/brand.js';
import { type Job, type RemoteProcessor, ValidationError } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { refusal } from './bulk.js';
import type { Notice } from './notice.js';
import { jobPath } from './paths.js';
import { TokenField } from './token-field.js';

/** Shows the settings of a queued job that can be changed. A person must unfold them. */
export function ChangeJob({ job, session, now }: { job: Job; session: Session; now: Date }) {
  return (
    <details class="card" id="change">
      <summary>Change it</summary>
      <form method="post" action={`${jobPath(job.id)}/changes`} class="fields" data-edits>
        <TokenField session={session} />
        <Field name="priority" label="Priority, 0 to 9" value={String(job.priority)} />
        <Field name="queue" label="Queue" value={job.queue} />
        <Field name="maxRetries" label="Attempts in all" value={String(job.maxRetries)} />
        <Field
          name="delay"
          label={job.runAt > now ? 'Runs in another time, such as 10m' : 'Put off, such as by 10m'}
          value=""
        />
        <p class="actions">
          <button type="submit" class="primary">
            Save
          </button>
        </p>
      </form>
    </details>
  );
}

function Field({ name, label, value }: { name: string; label: string; value: string }) {
  return (
    <div class="field">
      <label for={`change-${name}`}>{label}</label>
      <input id={`change-${name}`} name={name} value={value} spellcheck={false} />
    </div>
  );
}

/** Lets a delayed job run at once. */
export function RunNow({ job, session, mayAdd }: { job: Job; session: Session; mayAdd: boolean }) {
  return (
    <form method="post" action={`${jobPath(job.id)}/changes`} class="actions">
      <TokenField session={session} />
      <button type="submit" name="delay" value="0" disabled={!mayAdd}>
        Run now
      </button>
    </form>
  );
}

const numbers = ['priority', 'maxRetries'] as const;

/**
 * Changes a queued job as a form says. A field that is unchanged or blank changes nothing. Returns a notice with the
 * result.
 */
export async function changeJob(
  processor: RemoteProcessor,
  job: Job,
  form: URLSearchParams,
  callerRole: Role,
): Promise<Notice> {
  const given = (name: string) => {
    const text = form.get(name)?.trim();
    return text === undefined || text === '' ? undefined : text;
  };
  const changed = numbers.flatMap((name) => {
    const text = given(name);
    return text === undefined || text === String(job[name]) ? [] : [[name, Number(text)] as const];
  });
  const [queue, delay] = [given('queue'), given('delay')];
  const changes = {
    ...Object.fromEntries(changed),
    ...(queue !== undefined && queue !== job.queue && { queue }),
    ...(delay !== undefined && { delay: delay === '0' ? 0 : delay }),
  };
  if (Object.keys(changes).length === 0) return { kind: 'problem', text: 'Nothing was changed.' };
  try {
    await processor.updateJob(job.id, changes, { callerRole });
    return { kind: 'done', text: delay === '0' ? 'It is due now.' : 'Saved.' };
  } catch (error) {
    if (!isKind(error, ValidationError)) return { kind: 'problem', text: refusal(error) };
    return {
      kind: 'problem',
      text: `Not saved: ${error.issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    };
  }
}
