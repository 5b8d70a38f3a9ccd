/** Wraps the operand of a query operator, so that a document in the operand is never taken for conditions. */
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
