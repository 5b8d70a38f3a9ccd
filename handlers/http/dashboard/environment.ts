import type { Session } from '../session/session.js';
import type { LatestState } from './latest-state.js';
import type { Notice } from './notice.js';

/** Values that pages get in addition to the request. */
export interface DashboardEnvironment {
  Bindings: { session: Session | undefined };
  Variables: {
    /** The session. Set on every page that requires signing in. */
    session: Session;
    /** The sent form. Set on every POST that requires signing in. */
    form: URLSearchParams;
    /** The state of the deployment. Set on every page that requires signing in. */
    state: LatestState;
    /** Notice for the next page. Set by `redirectWith`. */
    notice: Notice | undefined;
    /**
     * The things that a form changed, for the audit log. Set by forms for several things, since some of them may stay
     * unchanged.
     */
    changed: readonly string[] | undefined;
  };
}
