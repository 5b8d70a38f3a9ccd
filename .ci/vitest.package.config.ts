import base, { ofPackages } from '../vitest.config.js';

/** The tests of what is shipped. */
export default { ...base, test: { ...base.test, include: ofPackages, exclude: [] } };
