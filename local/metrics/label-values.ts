/** The value of a label for all names beyond the limit. */
const OTHERS = '(other)';

/**
 * Limits the number of values of a label, because each value costs Prometheus a time series. The first names stand for
 * themselves. All later names are counted together.
 */
export class LabelValues {
  readonly #known = new Set<string>();

  /** @param limit how many names stand for themselves */
  constructor(private readonly limit: number) {}

  /** Returns the value for a name. */
  of(name: string): string {
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.limit) return OTHERS;
    this.#known.add(name);
    return name;
  }
}
