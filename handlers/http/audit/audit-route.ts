import { createMiddleware } from 'hono/factory';
import * as z from 'zod';
import type { AuditChange, Logger, RemoteProcessor } from '../../../src/index.js';
import type { Route } from '../route.js';
import { outcomeOf, recordChange } from './record-change.js';
import { targetOf } from './targets.js';

const idsSchema = z.object({ ids: z.array(z.string()) });
const addedSchema = z.looseObject({ id: z.string() });

/**
 * Records what callers of a route of the API change. Programs that add jobs are not recorded, because that would take
 * an entry for each job.
 */
export function auditRoute(
  {
    method,
    path,
    operation,
    role,
    isTraffic,
    told,
  }: Pick<Route, 'method' | 'path' | 'operation' | 'role' | 'isTraffic' | 'told'>,
  processor: RemoteProcessor,
  log: Logger,
) {
  const isReading = method === 'GET' || role === 'read';
  const [, , segment = ''] = path.split('/');
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return createMiddleware(async (context, next) => {
    const caller = context.get('caller');
    if (isReading || !caller || (isTraffic && caller.via === undefined)) return next();
    const parameters: Readonly<Record<string, string>> = context.req.param();
    const [target, ...others] = names.map((name) => parameters[name] ?? '');
    const said = [
      ...others.map((value, index): [string, string] => [names[index + 1] ?? '', value]),
      ...new URL(context.req.url).searchParams,
    ];
    const change = {
      action: operation,
      targets: target === undefined ? [] : [targetOf(segment, target)],
      isAddition: true,
      changes: toChanges(said),
    };
    const recording = { processor, log, caller, via: caller.via ?? 'api' };
    let ids: readonly string[] | undefined;
    let changes: readonly AuditChange[] = [];
    const carryOut = async () => {
      await next();
      if (isTraffic && context.res.ok) ids = idsSchema.safeParse(await context.res.clone().json()).data?.ids;
      if (told.length > 0 && context.res.ok) {
        const added = addedSchema.parse(await context.res.clone().json());
        ids = [added.id];
        changes = told.map((field) => ({ field, after: String(added[field]) }));
      }
    };
    await recordChange(context, recording, change, carryOut, () => {
      const outcome = outcomeOf(context.res.status);
      const isReplay = context.res.headers.has('idempotent-replayed');
      if (outcome === undefined || isReplay) return undefined;
      return { outcome, targets: ids?.map((added) => targetOf(segment, added)), changes };
    });
  });
}

/** Returns the parameters of a request as changes. A repeated parameter becomes one change with all its values. */
function toChanges(said: readonly (readonly [string, string])[]): AuditChange[] {
  const fields = [...new Set(said.map(([field]) => field))];
  return fields.map((field) => {
    const values = said.filter(([name]) => name === field).map(([, value]) => value);
    return { field, after: [...new Set(values)].join(', ') };
  });
}
