/** Default name of a processor. */
export const DEFAULT_NAME = 'root';
