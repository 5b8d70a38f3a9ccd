import * as z from 'zod';
import { MAX_PAGE_BYTES } from '../../src/mongo/read-page.js';

/** A load balancer takes 1 MB of a function, headers included. */
const BALANCED_BYTES = 900_000;

const balancedSchema = z.object({ requestContext: z.object({ elb: z.unknown() }) });

/**
 * Returns how many bytes the members of an answer may have as they are sent: 5 MB, or less for a load balancer.
 *
 * @param environment the second argument of the app's call, beside the request
 */
export function maxBytesFor(environment: unknown): number {
  return balancedSchema.safeParse(environment).success ? BALANCED_BYTES : MAX_PAGE_BYTES;
}
