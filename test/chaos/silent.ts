import type { Logger } from '../../src/index.js';

/** Logs nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
