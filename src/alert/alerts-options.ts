import * as z from 'zod';
import { type AlertFormat, alertFormats, hasNoCredentials } from '../alert-format.js';

/** The webhook that receives changes of the verdict. */
export interface AlertsOptions {
  /**
   * An http or https URL without user and password, since `fetch` refuses those. It is never logged, because the address of a
   * webhook is often a secret.
   */
  readonly url: string;
  /** Signs the body as Standard Webhooks does. Default: the body is not signed. */
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
