import * as z from 'zod';

/** Default prefix of our collections' names. It is not empty, because an application may have its own collection `jobs`. */
export const DEFAULT_COLLECTION_PREFIX = 'remoteProcessor.';

/**
 * Limit of a prefix. MongoDB allows 235 bytes for database and collection together, and a database's name may take 63.
 */
const MAX_LENGTH = 100;

const expected = `expected up to ${MAX_LENGTH} letters, digits, or any of _ . - that begin with a letter, a digit or _, without two dots in a row, and not with 'system.'; or the empty text`;

/** Valid prefixes. With the empty one, the names are those of versions without prefixes. */
export const collectionPrefixSchema = z
  .string(expected)
  .max(MAX_LENGTH, expected)
  .regex(/^(?!system\.)(?!.*\.\.)([a-z\d_][\w.-]*)?$/i, expected);
