/**
 * Sets this process's clock wrong by CLOCK_SKEW_MS: `new Date()`, `Date.now()` and `Date()`. This module must be the
 * first import of a process, so that every later import knows no other clock.
 */
const skewMs = Number(process.env.CLOCK_SKEW_MS ?? 0);
const RealDate = Date;
const realNow = Date.now;

RealDate.now = () => realNow() + skewMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RealDate.now()] : args, newTarget),
  apply: () => new RealDate(RealDate.now()).toString(),
});
