import { AsyncLocalStorage } from 'node:async_hooks';

const EVENT = 'unhandledRejection';

type OnRejection = (reason: unknown) => void;
type Listener = NodeJS.UnhandledRejectionListener;
/** A registered listener. If it wraps another one, because of `once` or as a stand-in, `listener` is the original. */
type Registered = Listener & { readonly listener?: Listener };

/** Handler of rejections for the attempt that the current code belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;
/** Maps stand-ins to the listeners they replace. */
let others = new Map<Listener, Registered>();

/**
 * Runs a job function. An unhandled rejection of its promises is reported to `onRejection`. Otherwise it would end the
 * process, and with it the other jobs. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * Isolates unhandled rejections of jobs while `work` runs. Any other rejection goes to the previous listeners, or ends
 * the process as by default. Afterwards the previous listeners are restored, except any removed meanwhile.
 *
 * An event cannot be kept from its listeners, and Lambda's own listener ends the container with all its jobs. So each
 * listener is replaced, at its position, by a stand-in that only passes on rejections of other code.
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
 * Works like `withJobRejections` for the rest of this process. Meant for a Lambda container, which is frozen between
 * two drains. A promise that a job left behind may reject when the container thaws, which would end the next
 * invocation.
 */
export function keepJobRejections(): void {
  users += 1;
  takeOver();
}

/** Takes over listeners. Also replaces those added since the previous call. */
function takeOver(): void {
  const before = registered().filter((listener) => listener !== onUnhandledRejection);
  const now = before.map((listener) => (others.has(listener) ? listener : standIn(listener)));
  others = new Map(
    now.map((listener, index) => [listener, others.get(listener) ?? before[index] ?? listener]),
  );
  // Placed first, so that it runs before a `once` listener is removed.
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

/**
 * Returns a stand-in. Removing the original also removes its stand-in, because Node matches on the property `listener`.
 */
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
 * Returns whether Node registered the listener by `once`, judged by the function's name. Any other function with a
 * property `listener` is a stand-in of a second copy of this package.
 */
function isOnce(original: Registered): boolean {
  return original.name === 'bound onceWrapper';
}

function onUnhandledRejection(reason: unknown): void {
  const onRejection = attempts.getStore();
  if (onRejection) onRejection(reason);
  // Our listener disables Node's default of throwing. If there are other listeners, they decide.
  else if (process.listenerCount(EVENT) === 1) throw reason;
}
