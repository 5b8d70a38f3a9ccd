/** Returns the origin of a URL. Drops a dot at the end of the host, since the dot only marks the name as complete. */
export function originOf({ protocol, hostname, port }: URL): string {
  const { origin } = new URL(`${protocol}//${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`);
  return origin;
}
