/** The operand of a query operator, wrapped so that it is never taken for conditions: a document in it is a value. */
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
