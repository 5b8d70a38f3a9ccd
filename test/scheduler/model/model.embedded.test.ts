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

/** Other commands in each run of the suite; CI runs more. */
const RUNS = Number(process.env.MODEL_RUNS ?? 6);

test('whatever is done to an item, whenever, it and its jobs are as the model says', async () => {
  const property = fc.asyncProperty(anyDefinition, anyCommands, async (definition, commands) => {
    const model = new ItemModel(definition, BEGIN);
    await begin(real, model);
    await fc.asyncModelRun(() => ({ model, real }), commands);
  });
  await fc.assert(property, { numRuns: RUNS });
});
