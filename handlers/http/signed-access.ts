import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import { Problem } from './problem.js';

/** The part of an event by which API Gateway tells of a signature that it has checked. */
const environmentSchema = z.object({
  requestContext: z.object({ authorizer: z.object({ iam: z.object({ userArn: z.string().min(1) }) }) }),
});

/**
 * Lets a request pass only if API Gateway has checked its signature (`authorizer: { type: aws_iam }`). The callers' IAM
 * policies have decided what they may do, so here they may do anything. Nobody can pose as a caller, since API Gateway alone
 * writes what is read here.
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
