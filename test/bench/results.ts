import type { MeasuredName } from './contenders/contender.js';
import { median } from './statistics.js';

/** A line of the table. */
export interface Figure {
  /** The heading it stands under. */
  readonly under: string;
  readonly name: string;
  /** Which is better; without it the figure is a count, and not compared. */
  readonly better?: 'more' | 'less';
  readonly decimals?: number;
}

export interface Row extends Figure {
  /** One value a round. */
  readonly values: Partial<Record<MeasuredName, number[]>>;
}

/** What was measured so far. */
export class Results {
  readonly rows: Row[] = [];
  /** What could not be measured, and why. */
  readonly failures: { readonly contender: MeasuredName; readonly message: string }[] = [];
  /** Who was not measured, for its server is not installed: a line each. */
  readonly leftOut: string[] = [];
  /** How far apart the same thing lay, measured twice in a row: 0.05 is 5 %. */
  readonly repeats: number[] = [];

  /** Adds the value of a round. */
  add(figure: Figure, contender: MeasuredName, value: number): void {
    const values = this.#row(figure).values;
    values[contender] = [...(values[contender] ?? []), value];
  }

  /** The same thing measured a second time in the same round. */
  addRepeat(first: number, second: number): void {
    this.repeats.push(Math.abs(second / first - 1));
  }

  /** Below this, a difference in speed may be chance. */
  get noise(): number {
    return Math.max(0, ...this.repeats);
  }

  /** The median of a contender's rounds. */
  value(under: string, name: string, contender: MeasuredName): number | undefined {
    const row = this.rows.find((candidate) => candidate.under === under && candidate.name === name);
    const values = row?.values[contender];
    return values && median(values);
  }

  #row(figure: Figure): Row {
    const { under, name } = figure;
    const found = this.rows.find((row) => row.under === under && row.name === name);
    if (found) return found;
    const row = { ...figure, values: {} };
    this.rows.push(row);
    return row;
  }
}
