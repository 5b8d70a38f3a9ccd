import * as z from 'zod';
import type { Awaited } from '../../src/index.js';
import { parseGroup } from '../../src/job/group.js';
import { documented } from './documented.js';

/** Names of groups, as the API shows them. */

const groupKinds = ['children', 'batch', 'workflow'] as const;

export const groupName = z
  .object({ kind: z.enum(groupKinds), id: z.string() })
  .register(documented, { id: 'Group', description: 'Jobs that are waited for together.' });

/** Something that a job waits for before it can run. */
export const awaited = z
  .object({
    kind: z.enum([...groupKinds, 'job']),
    id: z.string(),
    when: z.enum(['completed', 'settled']),
  })
  .register(documented, {
    id: 'Awaited',
    description:
      'Jobs that must end before this one can run: with `completed`, it waits until those that failed are retried.',
  });

export function toGroupName(group: string): z.output<typeof groupName> {
  const { kind, id } = parseGroup(group);
  return { kind: groupKinds.find((known) => known === kind) ?? 'children', id };
}

export function toAwaited({ on, when }: Awaited): z.output<typeof awaited> {
  const { kind, id } = parseGroup(on);
  return kind === 'job' ? { kind, id, when } : { ...toGroupName(on), when };
}
