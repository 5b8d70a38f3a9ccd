import * as z from 'zod';
import { path } from '../api/api.js';
import type { AddCommand } from '../context.js';
import { examples } from '../examples.js';
import { readJson } from '../read-json.js';

const outcomeShape = z.looseObject({ outcome: z.string() });

/** `signal` sends a signal to a job that waits for it, so that the job goes on. */
export const signalCommand: AddCommand = (parent, { api, output, stdin }) => {
  parent
    .command('signal')
    .description('Send a signal to a job, which one of its steps takes now or later.')
    .argument('<id>', 'of the job')
    .argument('<name>', 'of the signal')
    .argument('[payload]', 'JSON text, @file to read a file, or - to read standard input')
    .option('--signal-id <id>', 'of your choice: a signal with the same id is taken once')
    .addHelpText('after', examples('signal 697dc4a2f1e2d3c4b5a69788 paid \'{ "amount": 12 }\''))
    .action(async (id, name, given, { signalId }) => {
      const payload = given === undefined ? undefined : await readJson(given, 'The payload', { stdin });
      const body = { payload, ...(signalId !== undefined && { signalId }) };
      const answer = await api.post(path`/v1/jobs/${id}/signals/${name}`, { body });
      output.result(answer, outcomeShape, ({ outcome }) => `${name}: ${outcome}`);
    });
};
