import { AsyncLocalStorage } from 'node:async_hooks';

const EVENT = 'unhandledRejection';

type OnRejection = (reason: unknown) => void;
type Listener = NodeJS.UnhandledRejectionListener;
/** One that Node removes before it calls it, `once`, and what stands in for another have the listener as it was given. */
type Registered = Listener & { readonly listener?: Listener };

/** Which attempt the code that runs belongs to. */
const attempts = new AsyncLocalStorage<OnRejection>();
let users = 0;
/** By those that stand in for them. */
let others = new Map<Listener, Registered>();

/**
 * Runs the function of a job; a promise that it leaves rejected and unhandled is reported to `onRejection` instead of
 * ending the process, and with it the jobs beside it. Works inside `withJobRejections`.
 */
export function catchingRejections<Result>(onRejection: OnRejection, run: () => Result): Result {
  return attempts.run(onRejection, run);
}

/**
 * While `work` runs, unhandled rejections of jobs are theirs alone; any other goes on to whoever listened before, or ends
 * the process, as it does by default. Afterwards who listened listens as before, except those that were removed meanwhile.
 *
 * An event cannot be kept from its listeners, and Lambda's own ends the container, and with it the jobs beside the one
 * that left the rejection. So something stands in for each of them, at its place, that passes on what is not of a job.
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
 * As `withJobRejections`, for the rest of this process: for a container of Lambda, which is frozen between two drains. What
 * a job has left is rejected when it thaws, and would end the next invocation before its drain begins.
 */
export function keepJobRejections(): void {
  users += 1;
  takeOver();
}

/** Those that began to listen since are stood in for now. */
function takeOver(): void {
  const before = registered().filter((listener) => listener !== onUnhandledRejection);
  const now = before.map((listener) => (others.has(listener) ? listener : standIn(listener)));
  others = new Map(
    now.map((listener, index) => [listener, others.get(listener) ?? before[index] ?? listener]),
  );
  // First, so that it is asked while one that listens once is still there.
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

/** Whoever removes the listener removes what stands in for it: Node finds it by the member `listener`. */
function standIn(original: Registered): Registered {
  const { listener = original } = original;
  const standing: Registered = (reason, promise) => {
    if (attempts.getStore()) return;
    if (isOnce(original)) process.off(EVENT, standing);
    original.call(process, reason, promise);
  };
  return Object.assign(standing, { listener });
}

/** As Node names what `once` registers. Another with that member is what stands in of a second copy of this package. */
function isOnce(original: Registered): boolean {
  return original.name === 'bound onceWrapper';
}

function onUnhandledRejection(reason: unknown): void {
  const onRejection = attempts.getStore();
  if (onRejection) onRejection(reason);
  // This listener has taken the place of the default, which is to throw. With others it is for them to decide.
  else if (process.listenerCount(EVENT) === 1) throw reason;
}
