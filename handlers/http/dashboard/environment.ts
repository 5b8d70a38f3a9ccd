import type { Session } from '../session/session.js';

/** What the pages are called with, beside the request. */
export interface DashboardEnvironment {
  Bindings: { session: Session | undefined };
  Variables: {
    /** Who is signed in: on every page below the sign-in. */
    session: Session;
    /** What a form sent, on every POST below the sign-in. */
    form: URLSearchParams;
  };
}
