/** Formats of an alert: JSON for programs, or the form that Slack's incoming webhooks take. */
export const alertFormats: readonly AlertFormat[] = ['plain', 'slack'];

export type AlertFormat = 'plain' | 'slack';

/** Returns whether a URL has neither user nor password. `fetch` refuses URLs with them. */
export function hasNoCredentials(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { username, password } = new URL(url);
  return username === '' && password === '';
}
