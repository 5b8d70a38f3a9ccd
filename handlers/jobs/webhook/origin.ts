/** Returns the origin of a URL. A host that ends with a dot is the same host, named in full. */
export function originOf({ protocol, hostname, port }: URL): string {
  const { origin } = new URL(`${protocol}//${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`);
  return origin;
}
