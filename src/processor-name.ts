/** Name of a processor when none is given. */
export const DEFAULT_NAME = 'root';
