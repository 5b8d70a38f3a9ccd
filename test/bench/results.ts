import type { MeasuredName } from './contenders/contender.js';
import { median } from './statistics.js';

/** A line of the table. */
export interface Figure {
  /** The heading above the line. */
  readonly under: string;
  readonly name: string;
  /** The better direction. Without it the figure is a count, and is not compared. */
  readonly better?: 'more' | 'less';
  readonly decimals?: number;
}

export interface Row extends Figure {
  /** A value for each round. */
  readonly values: Partial<Record<MeasuredName, number[]>>;
}

/** The measurements so far. */
export class Results {
  readonly rows: Row[] = [];
  /** The measurements that failed, with the reason. */
  readonly failures: { readonly contender: MeasuredName; readonly message: string }[] = [];
  /** A line for each participant whose server is not installed. */
  readonly leftOut: string[] = [];
  /** The relative distances between two measurements of the same thing: 0.05 is 5 %. */
  readonly repeats: number[] = [];

  /** Adds the value of a round. */
  add(figure: Figure, contender: MeasuredName, value: number): void {
    const values = this.#row(figure).values;
    values[contender] = [...(values[contender] ?? []), value];
  }

  /** Adds two measurements of the same thing in one round. */
  addRepeat(first: number, second: number): void {
    this.repeats.push(Math.abs(second / first - 1));
  }

  /** The relative difference in speed that chance may explain. */
  get noise(): number {
    return Math.max(0, ...this.repeats);
  }

  /** Returns the median of a contender's rounds. */
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
