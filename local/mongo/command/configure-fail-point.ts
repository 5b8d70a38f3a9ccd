import type { Command } from './command.js';

/** `configureFailPoint` makes commands fail in tests. See `FailPoint`. */
export const configureFailPoint: Command = {
  fields: { 'mode!': 'any', data: 'object' },
  transactional: false,
  run: ({ body, failPoint }) => {
    failPoint.configure(body);
    return {};
  },
};
