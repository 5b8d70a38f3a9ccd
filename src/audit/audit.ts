import { type Collection, ObjectId } from 'mongodb';
import ms from 'ms';
import * as z from 'zod';
import { callerRoleSchema, type Role } from '../access/role.js';
import { definedOf } from '../defined-of.js';
import { shortText } from '../job/log-line.js';
import { byId, byIndex } from '../mongo/by-index.js';
import type { Connected } from '../mongo/connected.js';
import { momentPlaceSchema, readNewestFirst } from '../newest-first.js';
import { type PageFilter, pageSchema } from '../page-filter.js';
import { storableText } from '../storable-text.js';
import { validateNow } from '../validate.js';
import {
  type AuditChange,
  type AuditDocument,
  type AuditEntry,
  type AuditOutcome,
  auditOutcomes,
  byMoment,
  byTarget,
  byTargetAndWho,
  byWho,
} from './audit-document.js';

/** How long entries are kept. */
const KEPT_MS = ms('90 days');

/** Maximum number of targets that an entry names. */
const MAX_TARGETS = 100;

/** Maximum length of a value in characters. */
const MAX_VALUE = 200;

/** A change by a person, as `audit.record` takes it. */
export interface NewAuditEntry {
  /** Author of the change. */
  readonly who: string;
  readonly role?: Role | undefined;
  /** Way of the change. Default `code`. */
  readonly via?: string | undefined;
  /** Address that the request came from. */
  readonly address?: string | undefined;
  /** Name of the operation, such as `retryJob`. */
  readonly action: string;
  /**
   * The changed things, each as a kind, a colon and the id, such as `job:697dc4a2f1e2d3c4b5a69788`. Default: nothing.
   */
  readonly targets?: readonly string[] | undefined;
  /** The fields that were changed. Put neither inputs nor secrets there. Default: none. */
  readonly changes?: readonly AuditChange[] | undefined;
  /** Default `done`. */
  readonly outcome?: AuditOutcome | undefined;
  /** Code of the problem, if it was not done. */
  readonly problem?: string | undefined;
}

/** Selects entries. */
export interface AuditFilter extends PageFilter {
  /** Target of the changes to list: a kind, a colon and the id, such as `queue:mail`. Default: any. */
  readonly target?: string | undefined;
  /** Author of the changes to list. Default: anybody. */
  readonly who?: string | undefined;
}

/** A page of entries. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Cursor of the next page. Undefined at the end. */
  readonly cursor: string | undefined;
}

interface AuditCollections {
  readonly audit: Collection<AuditDocument>;
}

const targetSchema = storableText
  .max(1000)
  .regex(/^[a-z]+:./su, 'expected a kind, a colon and an id, such as job:7');

const value = storableText.transform((text) => shortText(text, MAX_VALUE)).optional();

const entrySchema = z.strictObject({
  who: storableText.min(1).max(500),
  role: callerRoleSchema,
  via: storableText.min(1).max(20).default('code'),
  address: storableText.min(1).max(100).optional(),
  action: storableText.min(1).max(100),
  targets: z.array(targetSchema).max(10_000).default([]),
  changes: z
    .array(z.strictObject({ field: storableText.min(1).max(200), before: value, after: value }))
    .max(100)
    .default([]),
  outcome: z.enum(auditOutcomes).default('done'),
  problem: storableText.max(100).optional(),
});

const filterSchema = z.strictObject({
  ...pageSchema(momentPlaceSchema).shape,
  target: targetSchema.optional(),
  who: storableText.min(1).max(500).optional(),
});

/**
 * The audit log: who changed what, when and from where. The HTTP API, the dashboard and the command line record the changes
 * that people make through them. Calls by code are not recorded. Code may call `record`.
 */
export class Audit {
  constructor(private readonly collections: Connected<AuditCollections>) {}

  /**
   * Records a change that a person made through a tool of your own, after the change. It is kept for 90 days.
   *
   * @throws ValidationError
   * @example
   * await processor.retryJob(id);
   * await processor.audit.record({ who: user.email, action: 'retryJob', targets: [`job:${id}`] });
   */
  async record(entry: NewAuditEntry): Promise<void> {
    const { targets, changes, ...given } = validateNow(entrySchema, entry, 'Entry of the audit log');
    const { audit } = await this.collections();
    const stored = {
      ...definedOf(given),
      targets: targets.slice(0, MAX_TARGETS),
      count: targets.length,
      changes: changes.map(definedOf),
    };
    const literal = Object.fromEntries(
      Object.entries(stored).map(([name, member]) => [name, { $literal: member }]),
    );
    const times = { at: '$$NOW', expireAt: { $add: ['$$NOW', KEPT_MS] } };
    const _id = new ObjectId().toHexString();
    // An insert cannot take the database's time.
    await audit.updateOne({ _id }, [{ $set: { ...literal, ...times } }], { upsert: true, ...byId });
  }

  /**
   * Returns a page of entries, newest first. Reads only these entries.
   *
   * @throws ValidationError for an invalid filter or a cursor that no page returned
   */
  async list(filter: AuditFilter = {}): Promise<AuditPage> {
    const { target, who, ...page } = validateNow(filterSchema, filter, 'Filter of the audit log');
    const { audit } = await this.collections();
    const conditions = definedOf({ targets: target, who });
    const { documents, cursor } = await byIndex(audit, indexFor(target, who), (hint) =>
      readNewestFirst('at', page, (after, options) =>
        audit.find({ ...conditions, ...after }, { ...options, ...hint }),
      ),
    );
    return { entries: documents.map(toEntry), cursor };
  }
}

function indexFor(target: string | undefined, who: string | undefined) {
  if (target === undefined) return who === undefined ? byMoment : byWho;
  return who === undefined ? byTarget : byTargetAndWho;
}

function toEntry({ _id: id, expireAt: _, ...entry }: AuditDocument): AuditEntry {
  return { id, ...entry };
}
