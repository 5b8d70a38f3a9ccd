/** The base to resolve a path against, which is never seen. */
const HERE = 'http://here';

/**
 * Returns where to go after a form, as the request asks: a path of the dashboard, or `/`. A path that leads elsewhere, such
 * as `//elsewhere.example`, is not followed.
 */
export function returnPath(asked: string | null | undefined): string {
  if (!asked || !URL.canParse(asked, HERE)) return '/';
  const { origin, pathname, search } = new URL(asked, HERE);
  return origin === HERE && pathname.startsWith('/dashboard/') ? pathname + search : '/';
}
