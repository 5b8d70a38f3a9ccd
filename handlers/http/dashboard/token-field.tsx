import { FORM_TOKEN } from '../session/same-origin.js';
import type { Session } from '../session/session.js';

/** A part of every form that changes something. See `requireSession`. */
export function TokenField({ session }: { session: Session }) {
  return <input type="hidden" name={FORM_TOKEN} value={session.formToken} />;
}
