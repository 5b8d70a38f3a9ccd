import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { Problem } from './problem.js';

/** What API Gateway tells of a request whose signature it has checked. */
const environmentSchema = z.object({
  requestContext: z.object({ authorizer: z.object({ iam: z.object({ userArn: z.string().min(1) }) }) }),
});

/**
 * Lets only those pass whose signature API Gateway has checked (`authorizer: { type: aws_iam }`). Their IAM policies
 * have said by then what they may do, so here they may do anything. Nobody can pose as one: API Gateway alone writes
 * where this is read.
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
