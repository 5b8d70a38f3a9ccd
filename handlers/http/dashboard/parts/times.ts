import { createContext } from 'hono/jsx';

/**
 * The form in which moments are shown. `relative` is a distance, such as `3 min ago`. `utc` is the moment in UTC.
 * `local` is the moment in local time. The server does not know local time, so it writes UTC, and a script in the
 * browser replaces that.
 */
export type Times = 'relative' | 'utc' | 'local';

export const TimesContext = createContext<Times>('relative');
