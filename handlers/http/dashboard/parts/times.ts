import { createContext } from 'hono/jsx';

/**
 * How moments are shown. `relative`: such as `3 min ago`. `utc`: in UTC. `local`: by the clock of the reader's place, which only
 * the browser knows. The server writes UTC then, and a script replaces it.
 */
export type Times = 'relative' | 'utc' | 'local';

export const TimesContext = createContext<Times>('relative');
