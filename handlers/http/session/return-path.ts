/** Only where it is put together with a path: it is never seen. */
const HERE = 'http://here';

/**
 * Where to go on to after a form, as a request says it: a path of the dashboard, or `/`. What would lead elsewhere,
 * such as `//elsewhere.example`, is not followed.
 */
export function returnPath(asked: string | null | undefined): string {
  if (!asked || !URL.canParse(asked, HERE)) return '/';
  const { origin, pathname, search } = new URL(asked, HERE);
  return origin === HERE && pathname.startsWith('/dashboard/') ? pathname + search : '/';
}
