import * as z from 'zod';
import { type AlertFormat, alertFormats, hasNoCredentials } from '../alert-format.js';

/** The webhook that changes of the verdict are sent to. */
export interface AlertsOptions {
  /** An http or https URL without user and password, with which nothing can be sent to it. It is not logged, since the address of a webhook is often a secret. */
  readonly url: string;
  /** Signs the body as Standard Webhooks does. Default: none, so it is not signed. */
  readonly secret?: string | undefined;
  /** Default `'plain'`. */
  readonly format?: AlertFormat | undefined;
}

export const alertsSchema: z.ZodType<AlertsOptions> = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
    .refine(hasNoCredentials, 'expected a URL without user and password'),
  secret: z.string().min(1).optional(),
  format: z.enum(alertFormats).optional(),
});
