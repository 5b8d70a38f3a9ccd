/** The operand of a query operator, wrapped so that a document in it is never taken for conditions. */
export class Operand {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** Returns the value inside an operand. */
export function unwrap(operand: unknown): unknown {
  return operand instanceof Operand ? operand.value : operand;
}
