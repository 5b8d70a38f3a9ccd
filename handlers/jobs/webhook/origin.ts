/** Of a URL, whose host may end with a dot: that is the same host, named in full. */
export function originOf({ protocol, hostname, port }: URL): string {
  const { origin } = new URL(`${protocol}//${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`);
  return origin;
}
