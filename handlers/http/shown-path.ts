/** Maximum length of a logged path. A longer one is an attack or a mistake. */
const MAX_PATH = 200;

/** Returns a path as it is logged. The token of a callback is left out, since it gives the right to answer. */
export function shownPath(path: string): string {
  return path.replace(/(\/callbacks\/).*/is, '$1…').slice(0, MAX_PATH);
}
