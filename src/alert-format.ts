/** How an alert is written: JSON for programs, or what Slack's incoming webhooks take. */
export const alertFormats: readonly AlertFormat[] = ['plain', 'slack'];

export type AlertFormat = 'plain' | 'slack';
