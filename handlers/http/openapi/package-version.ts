/**
 * The version of this package, as in package.json. It is a constant, because a bundled function has no package.json
 * beside it. A test compares both.
 */
export const packageVersion = '0.1.0';
