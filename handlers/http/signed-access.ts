import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { Problem } from './problem.js';

/** Schema of the part of an event in which API Gateway reports a signature that it has checked. */
const environmentSchema = z.object({
  requestContext: z.object({ authorizer: z.object({ iam: z.object({ userArn: z.string().min(1) }) }) }),
});

/**
 * Admits only requests whose signature API Gateway has checked (`authorizer: { type: aws_iam }`). The callers' IAM
 * policies already decide what they may do, so here they may do anything. The check cannot be forged, since only API
 * Gateway writes this part of an event.
 */
export const requireSignature = createMiddleware(async ({ env, set }, next) => {
  const { data } = environmentSchema.safeParse(env);
  if (!data) {
    const detail = 'Sign the request with the credentials of AWS (Signature Version 4, service execute-api).';
    throw new Problem('not_signed', { detail, headers: { 'www-authenticate': 'AWS4-HMAC-SHA256' } });
  }
  set('caller', { id: data.requestContext.authorizer.iam.userArn, role: 'admin' });
  await next();
});
