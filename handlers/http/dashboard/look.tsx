import type { Context } from 'hono';
import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import * as z from 'zod';
import { cookieOptions, cookiePrefix } from '../session/cookie.js';
import { returnPath } from '../session/return-path.js';
import type { Session } from '../session/session.js';
import type { DashboardEnvironment } from './environment.js';
import { lookPath } from './paths.js';
import { TokenField } from './token-field.js';

const COOKIE = 'look';

/** How long a browser remembers the look, in seconds. */
const YEAR_SECONDS = 365 * 86_400;

const schema = z.strictObject({
  theme: z.enum(['system', 'light', 'dark']).catch('system').default('system'),
  times: z.enum(['relative', 'utc', 'local']).catch('relative').default('relative'),
  refresh: z.enum(['on', 'off']).catch('on').default('on'),
  shortcuts: z.enum(['on', 'off']).catch('on').default('on'),
});

/** The look of the dashboard that a person chose. The browser keeps it. */
export type Look = z.output<typeof schema>;

export const usualLook: Look = schema.parse({});

/** Returns the look that this browser's user chose. */
export function lookOf(context: Context): Look {
  const chosen = new URLSearchParams(getCookie(context, COOKIE, cookiePrefix(context)) ?? '');
  return schema.safeParse(Object.fromEntries(chosen)).data ?? usualLook;
}

/** Makes the route to which the switches at the end of each page are sent. */
export function lookRoutes() {
  return new Hono<DashboardEnvironment>().post('/', (context) => {
    const form = context.get('form');
    const look = schema.parse({ ...lookOf(context), ...chosenIn(form) });
    setCookie(context, COOKIE, new URLSearchParams(look).toString(), {
      ...cookieOptions(context),
      maxAge: YEAR_SECONDS,
    });
    return context.redirect(returnPath(form.get('here')), 303);
  });
}

/** Returns what a button chose, such as `theme=dark`. */
function chosenIn(form: URLSearchParams): Partial<Record<keyof Look, string>> {
  const [name = '', value = ''] = (form.get('set') ?? '').split('=');
  return Object.hasOwn(usualLook, name) ? { [name]: value } : {};
}

const switches = [
  ['theme', 'Colours', ['system', 'light', 'dark']],
  ['times', 'Time', ['relative', 'utc', 'local']],
  ['refresh', 'Refresh', ['on', 'off']],
  ['shortcuts', 'Shortcuts', ['on', 'off']],
] as const;

/** The switches of the look. The server stores the choice in a cookie, so each page arrives in the chosen look. */
export function LookSwitches({ look, session, here }: { look: Look; session: Session; here: string }) {
  return (
    <form method="post" action={lookPath} class="look" data-plain>
      <TokenField session={session} />
      <input type="hidden" name="here" value={here} />
      {switches.map(([name, label, values]) => (
        <fieldset aria-label={label}>
          <span class="quiet">{label}</span>
          {values.map((value) => (
            <button
              type="submit"
              name="set"
              value={`${name}=${value}`}
              class="small"
              aria-pressed={look[name] === value ? 'true' : 'false'}
            >
              {value}
            </button>
          ))}
        </fieldset>
      ))}
      <span class="quiet" data-keys hidden>
        Press ? for the keys
      </span>
    </form>
  );
}
