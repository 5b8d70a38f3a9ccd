import { AsyncLocalStorage } from 'node:async_hooks';

const EVENT = 'unhandledRejection';

type OnRejection = (reason: unknown) => void;
type Listener = NodeJS.UnhandledRejectionListener;
/** A listener as registered. With `once`, or in place of another, it has the original in `listener`. */
type Registered = Listener & { readonly listener?: Listener };

/** The attempt that the running code belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;
/** Original listeners by their stand-ins. */
let others = new Map<Listener, Registered>();

/**
 * Runs a job function. An unhandled rejection of its promises is reported to `onRejection`. Otherwise it would end the
 * process, and with it the other jobs. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * Keeps unhandled rejections of jobs to themselves while `work` runs. Any other rejection goes to the previous listeners,
 * or ends the process, as it does by default. Afterwards the previous listeners are back, except those removed meanwhile.
 *
 * An event cannot be kept from its listeners, and Lambda's own listener ends the container with all its jobs. So each
 * listener is replaced, in its place, by a stand-in that only passes on rejections of other code.
 */
export async function withJobRejections<Result>(work: () => Promise<Result>): Promise<Result> {
  users += 1;
  takeOver();
  try {
    return await work();
  } finally {
    users -= 1;
    if (users === 0) handBack();
  }
}

/**
 * Works like `withJobRejections` for the rest of this process. Meant for a Lambda container, which is frozen between two
 * drains. Promises left by a job may reject when it thaws, and would end the next invocation before its drain begins.
 */
export function keepJobRejections(): void {
  users += 1;
  takeOver();
}

/** Also replaces listeners that were added since the last time. */
function takeOver(): void {
  const before = registered().filter((listener) => listener !== onUnhandledRejection);
  const now = before.map((listener) => (others.has(listener) ? listener : standIn(listener)));
  others = new Map(
    now.map((listener, index) => [listener, others.get(listener) ?? before[index] ?? listener]),
  );
  // Placed first, so that it is called while a listener registered by `once` still exists.
  replaceListeners([onUnhandledRejection, ...now]);
}

function handBack(): void {
  const now = registered().filter((listener) => listener !== onUnhandledRejection);
  replaceListeners(now.map((listener) => others.get(listener) ?? listener));
  others = new Map();
}

function registered(): Registered[] {
  return process.rawListeners(EVENT).filter(isListener);
}

function isListener(value: unknown): value is Registered {
  return typeof value === 'function';
}

function replaceListeners(listeners: readonly Listener[]): void {
  for (const listener of registered()) process.off(EVENT, listener);
  for (const listener of listeners) process.on(EVENT, listener);
}

/** Returns a stand-in. Removing the original removes the stand-in, because Node finds it by the member `listener`. */
function standIn(original: Registered): Registered {
  const { listener = original } = original;
  const standing: Registered = (reason, promise) => {
    if (attempts.getStore()) return;
    if (isOnce(original)) process.off(EVENT, standing);
    original.call(process, reason, promise);
  };
  return Object.assign(standing, { listener });
}

/**
 * Returns whether Node registered the listener by `once`, judged by the name. Another function with that member is a
 * stand-in of a second copy of this package.
 */
function isOnce(original: Registered): boolean {
  return original.name === 'bound onceWrapper';
}

function onUnhandledRejection(reason: unknown): void {
  const onRejection = attempts.getStore();
  if (onRejection) onRejection(reason);
  // This listener has replaced the default, which is to throw. If there are other listeners, they decide.
  else if (process.listenerCount(EVENT) === 1) throw reason;
}
