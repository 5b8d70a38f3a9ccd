/** Base for resolving a path. Never shown to anybody. */
const HERE = 'http://here';

/**
 * Returns the path to go to after a form. It is the requested path, or `/` if that is not a path of the dashboard. A
 * path that leads to another host, such as `//elsewhere.example`, is not followed.
 */
export function returnPath(asked: string | null | undefined): string {
  if (!asked || !URL.canParse(asked, HERE)) return '/';
  const { origin, pathname, search } = new URL(asked, HERE);
  return origin === HERE && pathname.startsWith('/dashboard/') ? pathname + search : '/';
}
