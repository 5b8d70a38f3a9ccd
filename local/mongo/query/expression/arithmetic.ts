import { Decimal128, Double, Long } from 'bson';
import { decimalFrom, divideDecimals } from '../../bson/decimal.js';
import { add, asDouble, asIntegral, multiply, negate, toBigInt } from '../../bson/numbers.js';
import { toNumber } from '../../bson/to-number.js';
import { isNumeric, typeOf } from '../../bson/type-of.js';
import { CommandError } from '../../errors.js';
import { type Expression, isNullish, requireNumbers, unary, variadic } from './operands.js';

/** Arithmetic with BSON's types. The wider type wins, and an int32 overflows into an int64. */
export const arithmetic: Record<string, Expression> = {
  $add: variadic(sum),
  $subtract: variadic(subtract),
  $multiply: variadic((values) => {
    if (values.some(isNullish)) return null;
    requireNumbers('$multiply', values);
    return values.reduce(multiply, 1);
  }),
  $divide: variadic(divide),
  $mod: variadic(modulo),
  $pow: variadic(power),
  $abs: unary((value) => numeric('$abs', value, () => (toNumber(value) < 0 ? negate(value) : value))),
  $ceil: unary(rounding('$ceil', Math.ceil)),
  $floor: unary(rounding('$floor', Math.floor)),
  $sqrt: within('$sqrt', 28714, (x) => x >= 0, Math.sqrt),
  $exp: unary((value) => numeric('$exp', value, () => asDouble(Math.exp(toNumber(value))))),
  $ln: within('$ln', 28766, (x) => x > 0, Math.log),
  $log10: within('$log10', 28761, (x) => x > 0, Math.log10),
  $log: variadic(([value, base]) => {
    if (isNullish(value) || isNullish(base)) return null;
    requireNumbers('$log', [value], 28756);
    requireNumbers('$log', [base], 28757);
    if (toNumber(value) <= 0) throw new CommandError(28758, "$log's argument must be a positive number");
    if (toNumber(base) <= 0 || toNumber(base) === 1)
      throw new CommandError(28759, "$log's base must be a positive number not equal to 1");
    return asDouble(Math.log(toNumber(value)) / Math.log(toNumber(base)));
  }),
  $trunc: variadic((values) => places('$trunc', values, Math.trunc)),
  $round: variadic((values) => places('$round', values, roundHalfEven)),
};

function numeric(name: string, value: unknown, compute: () => unknown, code = 28765): unknown {
  if (isNullish(value)) return null;
  requireNumbers(name, [value], code);
  return compute();
}

/** Returns an operator that is defined only for some numbers, and throws `code` for others. NaN is allowed. */
function within(
  name: string,
  code: number,
  isDefined: (x: number) => boolean,
  compute: (x: number) => number,
): Expression {
  return unary((value) =>
    numeric(name, value, () => {
      const x = toNumber(value);
      if (!Number.isNaN(x) && !isDefined(x)) throw new CommandError(code, `${name} is not defined for ${x}`);
      return asDouble(compute(x));
    }),
  );
}

function rounding(name: string, round: (value: number) => number): (value: unknown) => unknown {
  return (value) => numeric(name, value, () => roundedTo(value, round));
}

/** Rounds a number. Integers are round already, and a double stays a double. */
function roundedTo(value: unknown, round: (value: number) => number): unknown {
  if (value instanceof Decimal128) return decimalFrom(new Double(round(toNumber(value))));
  return typeOf(value) === 'double' ? asDouble(round(toNumber(value))) : value;
}

function places(
  name: string,
  [value, digits = 0]: readonly unknown[],
  round: (value: number) => number,
): unknown {
  return numeric(
    name,
    value,
    () => {
      const factor = 10 ** toNumber(digits);
      const scaled = (number: number) => round(number * factor) / factor;
      if (typeOf(value) === 'double' || value instanceof Decimal128) return roundedTo(value, scaled);
      return factor >= 1 ? value : asIntegral(BigInt(scaled(toNumber(value))));
    },
    51081,
  );
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Adds numbers. If one of the operands is a date, adds the numbers to the date as milliseconds. */
function sum(operands: readonly unknown[]): unknown {
  if (operands.some(isNullish)) return null;
  const dates = operands.filter((value) => value instanceof Date);
  if (dates.length > 1) throw new CommandError(16612, 'only one date allowed in an $add expression');
  const numbers = operands.filter((value) => !(value instanceof Date));
  requireNumbers('$add', numbers);
  const total = numbers.reduce(add, 0);
  return dates[0] === undefined ? total : new Date(dates[0].getTime() + Math.round(toNumber(total)));
}

function subtract([left, right]: readonly unknown[]): unknown {
  if (isNullish(left) || isNullish(right)) return null;
  if (left instanceof Date && right instanceof Date) return Long.fromNumber(left.getTime() - right.getTime());
  if (left instanceof Date && isNumeric(right)) return new Date(left.getTime() - Math.round(toNumber(right)));
  if (!isNumeric(left) || !isNumeric(right)) {
    throw new CommandError(14, `can't $subtract ${typeOf(right)} from ${typeOf(left)}`);
  }
  return isDouble(left, right) ? asDouble(toNumber(left) - toNumber(right)) : add(left, negate(right));
}

function isDouble(left: unknown, right: unknown): boolean {
  const types = [typeOf(left), typeOf(right)];
  return types.includes('double') && !types.includes('decimal');
}

function divide([left, right]: readonly unknown[]): unknown {
  if (isNullish(left) || isNullish(right)) return null;
  requireNumbers('$divide', [left, right]);
  if (toNumber(right) === 0) throw new CommandError(2, "can't $divide by zero");
  const decimal = left instanceof Decimal128 || right instanceof Decimal128;
  return decimal
    ? divideDecimals(decimalFrom(left), decimalFrom(right))
    : asDouble(toNumber(left) / toNumber(right));
}

function modulo([left, right]: readonly unknown[]): unknown {
  if (isNullish(left) || isNullish(right)) return null;
  requireNumbers('$mod', [left, right]);
  if (toNumber(right) === 0) throw new CommandError(16610, "can't $mod by zero");
  const types = [typeOf(left), typeOf(right)];
  if (types.includes('decimal')) return decimalFrom(asDouble(toNumber(left) % toNumber(right)));
  if (types.includes('double')) return asDouble(toNumber(left) % toNumber(right));
  const result = toBigInt(left) % toBigInt(right);
  return types.includes('long') ? Long.fromBigInt(result) : Number(result);
}

function power([base, exponent]: readonly unknown[]): unknown {
  if (isNullish(base) || isNullish(exponent)) return null;
  requireNumbers('$pow', [base, exponent]);
  const result = toNumber(base) ** toNumber(exponent);
  const integral = [base, exponent].every((value) => ['int', 'long'].includes(typeOf(value)));
  if (!integral || !Number.isSafeInteger(result)) return asDouble(result);
  const wide = typeOf(base) === 'long' || typeOf(exponent) === 'long';
  return wide ? Long.fromNumber(result) : asIntegral(BigInt(result));
}
