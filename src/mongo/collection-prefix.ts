import * as z from 'zod';

/** What the names of our collections begin with, unless another prefix is asked for: an application has `jobs` of its own. */
export const DEFAULT_COLLECTION_PREFIX = 'remoteProcessor.';

/** MongoDB takes 235 bytes for database and collection together, and a database's name may have 63 of them. */
const MAX_LENGTH = 100;

const expected = `expected up to ${MAX_LENGTH} letters, digits, or any of _ . - that begin with a letter, a digit or _, without two dots in a row, and not with 'system.'; or the empty text`;

/** What a prefix may be. The empty one gives the names that all collections had before there were prefixes. */
export const collectionPrefixSchema = z
  .string(expected)
  .max(MAX_LENGTH, expected)
  .regex(/^(?!system\.)(?!.*\.\.)([a-z\d_][\w.-]*)?$/i, expected);
