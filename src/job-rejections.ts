import { AsyncLocalStorage } from 'node:async_hooks';

const EVENT = 'unhandledRejection';

type OnRejection = (reason: unknown) => void;
type Listener = NodeJS.UnhandledRejectionListener;
/** A registered listener. If it wraps another one, because of `once` or as a stand-in, `listener` is the wrapped one. */
type Registered = Listener & { readonly listener?: Listener };

/** Handler of rejections for the attempt that the current code belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;
/** Maps stand-ins to the listeners they replace. */
let others = new Map<Listener, Registered>();

/**
 * Runs a job function. Reports unhandled rejections of its promises to `onRejection`. Otherwise such a rejection would end the
 * process with all its jobs. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * Isolates unhandled rejections of jobs while `work` runs. Any other rejection goes to the previous listeners, or ends the
 * process as by default. Afterwards the previous listeners are restored, except any removed meanwhile.
 *
 * Nothing can hide an event from its listeners, and Lambda's own listener ends the container with all its jobs. So a stand-in
 * replaces each listener at its position. It passes on only the rejections of other code.
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
 * Works like `withJobRejections` for the rest of this process. It is meant for a Lambda container, which is frozen between two
 * drains. When the container thaws, a promise that a job left behind may reject. Without this call, the rejection would end the
 * next invocation.
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
 * Returns whether Node registered the listener by `once`. The function's name tells. Any other function with a property
 * `listener` is a stand-in of a second copy of this package.
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
