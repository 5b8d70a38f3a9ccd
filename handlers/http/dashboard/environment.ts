import type { Session } from '../session/session.js';

/** The values that pages get beside the request. */
export interface DashboardEnvironment {
  Bindings: { session: Session | undefined };
  Variables: {
    /** The session, on every page below the sign-in. */
    session: Session;
    /** The form, on every POST below the sign-in. */
    form: URLSearchParams;
  };
}
