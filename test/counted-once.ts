import { expect } from 'vitest';
import type { DrainSummary } from '../src/index.js';

/** Expects that each attempt that an invocation claimed is counted exactly once by how it ended. */
export function expectCountedOnce(summary: DrainSummary): void {
  const { claimed, abandoned: _, remaining: __, ...endings } = summary;
  const sum = Object.values(endings).reduce((total, count) => total + count, 0);
  expect(sum, JSON.stringify(summary)).toBe(claimed);
}
