/** How an alert is written: JSON for programs, or what Slack's incoming webhooks take. */
export const alertFormats = ['plain', 'slack'] as const;

export type AlertFormat = (typeof alertFormats)[number];
