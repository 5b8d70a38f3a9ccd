import * as z from 'zod';
import { roles } from '../../../src/access/role.js';
import { auditOutcomes } from '../../../src/audit/audit-document.js';
import type { AuditEntry } from '../../../src/index.js';
import { documented } from '../documented.js';
import { moment, nextCursor, page, textOf } from '../fields.js';
import { defineRoute } from '../route.js';

const changeView = z.object({
  field: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});

/** An entry as the API shows it. Every member is always present, and null without a value. */
const entryView = z
  .object({
    id: z.string(),
    at: moment,
    who: z.string(),
    role: z.enum(roles).nullable(),
    via: z.string(),
    address: z.string().nullable(),
    action: z.string(),
    targets: z.array(z.string()),
    count: z.int(),
    changes: z.array(changeView),
    outcome: z.enum(auditOutcomes),
    problem: z.string().nullable(),
  })
  .register(documented, {
    id: 'AuditEntry',
    description:
      'A change by a person. `action` is the name of the operation in this document, `via` is `api`, `dashboard`, `cli` or `link`, and `targets` has the first 100 of `count`. Values of `changes` are texts of at most 200 characters, and null if there is none, or if it may be secret.',
  });

const example = {
  id: '697dc4a2f1e2d3c4b5a69788',
  at: '2026-01-31T09:05:06.123Z',
  who: 'ann',
  role: 'admin',
  via: 'dashboard',
  address: '203.0.113.7',
  action: 'setLimit',
  targets: ['limit:import=acme'],
  count: 1,
  changes: [{ field: 'max', before: '3', after: '5' }],
  outcome: 'done',
  problem: null,
};

function toView({ changes, targets, ...entry }: AuditEntry): z.input<typeof entryView> {
  const { role = null, address = null, problem = null } = entry;
  return {
    ...entry,
    ...{ role, address, problem },
    targets: [...targets],
    changes: changes.map(({ field, before = null, after = null }) => ({ field, before, after })),
  };
}

export const auditRoutes = [
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    operation: 'listAudit',
    isList: true,
    role: 'admin',
    summary: 'List who changed what, when and from where',
    asks: () =>
      z.object({
        query: z.strictObject({
          target: textOf(
            'Only what was done to this: a kind, a colon and the id, such as `queue:mail`.',
          ).optional(),
          who: textOf('Only what this person did.').optional(),
          ...page,
        }),
      }),
    reply: {
      status: 200,
      description:
        'A page of the entries of the last 90 days, the newest first. `cursor` is null at the end.',
      schema: () => z.object({ entries: z.array(entryView), cursor: nextCursor }),
      example: { entries: [example], cursor: null },
    },
    async answer({ query }, { processor, maxBytes }) {
      const { entries, cursor = null } = await processor.audit.list({ ...query, maxBytes });
      return { body: { entries: entries.map(toView), cursor } };
    },
  }),
];
