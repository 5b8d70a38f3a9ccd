import ms from 'ms';
import type { Limit, LimitWaits } from '../../../src/index.js';
import type { Session } from '../session/session.js';
import { hasButton, LimitState, PauseButton, placesText } from './limit-state.js';
import { Moment } from './parts/moment.js';
import { capped, grouped } from './parts/number.js';
import { limitPath } from './paths.js';
import { may } from './require-session.js';
import { TokenField } from './token-field.js';

interface LimitsPageProps {
  readonly limits: readonly Limit[];
  readonly waits: readonly LimitWaits[];
  readonly session: Session;
  readonly now: Date;
}

export function LimitsPage({ limits, waits, session, now }: LimitsPageProps) {
  return (
    <>
      <h1>Limits</h1>
      <section class="card" id="limits" data-live>
        {limits.length === 0 ? (
          <p class="empty">No job waits for a limit, and none is set.</p>
        ) : (
          <LimitTable limits={limits} session={session} now={now} />
        )}
      </section>
      <section class="card" id="waits" data-live aria-labelledby="waits-title">
        <h2 id="waits-title">Waits in the last hour</h2>
        <Waits waits={waits} />
      </section>
      {may(session, 'admin') && (
        <section class="card">
          <SetByKey session={session} />
        </section>
      )}
    </>
  );
}

function Waits({ waits }: Pick<LimitsPageProps, 'waits'>) {
  if (waits.length === 0) return <p class="empty">No job waited for a limit.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Limit</th>
            <th scope="col">Waits</th>
            <th scope="col">On average</th>
          </tr>
        </thead>
        <tbody>
          {waits.map(({ limit, waits: count, waitedMs }) => (
            <tr>
              <th scope="row">{limit}</th>
              <td data-label="Waits">{grouped(count)}</td>
              <td data-label="On average">{ms(Math.round(waitedMs / count))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function LimitTable({ limits, session, now }: Omit<LimitsPageProps, 'waits'>) {
  const mayAct = may(session, 'admin');
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Limit</th>
            <th scope="col">Waiting</th>
            <th scope="col">Longest since</th>
            <th scope="col">Taken</th>
            <th scope="col">Places</th>
            <th scope="col">State</th>
            {mayAct && (
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody data-held>
          {limits.map((limit) => (
            <tr id={`limit-${encodeURIComponent(limit.key)}`}>
              <th scope="row">
                <a href={limitPath(limit.key)}>{limit.key}</a>
              </th>
              <td data-label="Waiting">{capped(limit.waiting)}</td>
              <td data-label="Longest since">
                {limit.oldest ? <Moment at={limit.oldest} now={now} /> : '–'}
              </td>
              <td data-label="Taken">{limit.taken}</td>
              <td data-label="Places">{placesText(limit)}</td>
              <td data-label="State">
                <LimitState limit={limit} now={now} />
              </td>
              {mayAct && (
                <td class="actions">
                  {hasButton(limit) && <PauseButton limit={limit} session={session} from="list" />}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A form that sets or pauses a limit by its key. A limit without waiting jobs is not listed, so it has no buttons. */
function SetByKey({ session }: { session: Session }) {
  return (
    <details>
      <summary>Set or pause another limit</summary>
      <form method="post" action="/dashboard/limits" class="actions">
        <TokenField session={session} />
        <input
          name="key"
          class="short"
          aria-label="Key of the limit"
          placeholder="import=acme"
          required
          spellcheck={false}
        />
        <input
          name="max"
          class="short"
          aria-label="Number of places"
          inputmode="numeric"
          placeholder="places"
        />
        <button type="submit" name="action" value="set">
          Set
        </button>
        <button type="submit" name="action" value="pause">
          Pause
        </button>
      </form>
    </details>
  );
}
