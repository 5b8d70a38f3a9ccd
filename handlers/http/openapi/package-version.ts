/**
 * The version of this package, as in package.json. A constant, because a bundled function has no package.json beside it.
 * A test compares the two.
 */
export const packageVersion = '0.1.0';
