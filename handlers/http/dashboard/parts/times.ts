import { createContext } from 'hono/jsx';

/**
 * The form in which moments are shown. `relative` is a distance, such as `3 min ago`. `utc` is the moment in UTC.
 * `local` is the moment in local time. Only the browser knows that, so the server writes UTC and a script replaces it.
 */
export type Times = 'relative' | 'utc' | 'local';

export const TimesContext = createContext<Times>('relative');
