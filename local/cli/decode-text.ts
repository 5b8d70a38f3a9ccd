/**
 * Decodes a file in UTF-8, with or without the byte order mark that editors and shells on Windows write.
 *
 * @throws an Error that names the actual encoding, if it is recognised
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = otherEncoding(bytes);
  if (encoding !== undefined) throw new Error(`it is ${encoding}: save it as UTF-8`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('it is not UTF-8: save it as UTF-8', { cause: error });
  }
}

/**
 * Returns the encoding if it is not UTF-8. Reads it from the byte order mark. Without a mark, reads it from the zeros
 * beside the first character, which is ASCII in JSON.
 */
function otherEncoding([first, second, third, fourth]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? 'UTF-32' : 'UTF-16';
  if (first === 0xfe && second === 0xff) return 'UTF-16';
  if (first === 0 && second === 0) return 'UTF-32';
  if (first === 0 || second === 0) return third === 0 && fourth === 0 ? 'UTF-32' : 'UTF-16';
  return undefined;
}
