import type { Session } from '../session/session.js';

/** Values that pages get in addition to the request. */
export interface DashboardEnvironment {
  Bindings: { session: Session | undefined };
  Variables: {
    /** The session. Set on every page that requires signing in. */
    session: Session;
    /** The sent form. Set on every POST that requires signing in. */
    form: URLSearchParams;
  };
}
