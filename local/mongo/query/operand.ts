/**
 * The operand of a query operator, wrapped so that mingo passes it on untouched: it would take a document for
 * operators, and its deep copy loses fields named `__proto__`.
 */
export class Operand {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** The value inside an operand. */
export function unwrap(operand: unknown): unknown {
  return operand instanceof Operand ? operand.value : operand;
}
