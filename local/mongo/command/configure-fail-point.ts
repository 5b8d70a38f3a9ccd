import type { Command } from './command.js';

/** `configureFailPoint`, for tests: see `FailPoint`. */
export const configureFailPoint: Command = {
  fields: { 'mode!': 'any', data: 'object' },
  transactional: false,
  run: ({ body, failPoint }) => {
    failPoint.configure(body);
    return {};
  },
};
