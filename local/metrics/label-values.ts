/** The value of a label for all names beyond the limit. */
const OTHERS = '(other)';

/**
 * Bounds the values of a label, each of which costs Prometheus a time series: the first names stand for themselves, and
 * later ones are counted together.
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
