import type { Collection } from 'mongodb';
import type { SignInDocument } from './sign-in-document.js';

/** Takes an attempt back that turned out to be right: it does not count as failed. */
export async function forgiveSignIn(
  signIns: Collection<SignInDocument>,
  address: string,
  attempt: string,
): Promise<void> {
  await signIns.updateOne({ _id: address }, { $pull: { failures: { id: attempt } } });
}
