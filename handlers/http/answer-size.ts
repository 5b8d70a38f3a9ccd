import * as z from 'zod';
import { MAX_PAGE_BYTES } from '../../src/mongo/read-page.js';

/** Limit for a load balancer, which accepts 1 MB from a function, including headers. */
const BALANCED_BYTES = 900_000;

const balancedSchema = z.object({ requestContext: z.object({ elb: z.unknown() }) });

/**
 * Returns how many bytes the members of a sent answer may have: 5 MB, or less for a load balancer.
 *
 * @param environment the platform's part of a request, which hono calls `env`
 */
export function maxBytesFor(environment: unknown): number {
  return balancedSchema.safeParse(environment).success ? BALANCED_BYTES : MAX_PAGE_BYTES;
}
