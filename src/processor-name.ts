/** The name of a processor that is given none. */
export const DEFAULT_NAME = 'root';
