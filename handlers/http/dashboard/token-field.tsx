import { FORM_TOKEN } from '../session/same-origin.js';
import type { Session } from '../session/session.js';

/** A hidden field that every form that changes something needs. See `requireSession`. */
export function TokenField({ session }: { session: Session }) {
  return <input type="hidden" name={FORM_TOKEN} value={session.formToken} />;
}
