import { ObjectId } from 'bson';

class User {
  constructor(
    readonly name: string,
    readonly role = 'admin',
  ) {}
}

class TooMany extends Error {
  override readonly name = 'TooMany';
  readonly limits = { perSecond: 10 };
  readonly user = new User('ann');
  readonly retry = () => {};
}

const circle: { name: string; self?: unknown } = { name: 'circle' };
circle.self = circle;

const hidden = Object.defineProperty({ seen: 1 }, 'total', {
  enumerable: true,
  get: () => {
    throw new Error('not loaded');
  },
});

const values = {
  plain: { text: 'é', list: [1, { deep: null }], at: new Date(0) },
  function: { f: () => {}, g: 1 },
  symbol: { s: Symbol('mark') },
  instance: { list: [new User('ann')] },
  'an instance alone': new User('ann'),
  'no prototype': Object.create(null),
  id: { id: new ObjectId('697dc4a2f1e2d3c4b5a69788') },
  circle,
  getter: { inner: hidden },
  proxy: { p: new Proxy({ a: 1 }, {}) },
  map: new Map([['key', () => {}]]),
  set: new Set([1]),
  bytes: new Uint8Array([1]),
  bigint: 10n,
  'own __proto__': JSON.parse('{"__proto__":{"a":1}}'),
  hole: [1, undefined, 2],
  'many holes': new Array(2 ** 32 - 1),
  deep: Array.from({ length: 300 }).reduce<unknown>((inner) => [inner], 'bottom'),
  text: 'only a text',
  nothing: undefined,
  object: { status: 503, body: { retry: true } },
  error: new TooMany('slow down', { cause: { code: 7 } }),
  aggregate: new AggregateError([new TypeError('first'), 'second'], 'both failed'),
};

export const oddities = Object.keys(values);

/** Returns by its name a value that a structured clone changes. */
export function odd(name: string): unknown {
  return new Map(Object.entries(values)).get(name);
}
