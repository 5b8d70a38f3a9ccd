import base, { ofPackage } from '../vitest.config.js';

/** The test of what `npm pack` makes. */
export default { ...base, test: { ...base.test, include: [ofPackage], exclude: [] } };
