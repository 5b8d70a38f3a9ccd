import { setTimeout as wait } from 'node:timers/promises';
import ms from 'ms';
import * as z from 'zod';
import type { Api } from '../api/api.js';
import { read } from '../output/output.js';
import { examine, type Finding, failure, ok, warning } from './finding.js';

const findingShape = z.looseObject({
  code: z.string(),
  severity: z.enum(['failure', 'warning']),
  about: z.looseObject({ type: z.string(), name: z.string() }),
  text: z.string(),
  advice: z.string(),
  since: z.string().nullable(),
});

type ShownFinding = z.output<typeof findingShape>;

/** The answer of GET /v1/verdict. */
const verdictShape = z.looseObject({ at: z.string(), findings: z.array(findingShape) });

/** The checks by the rules of the verdict. `well` is the text of a check that finds nothing wrong. */
const checks: readonly {
  readonly check: string;
  readonly codes: readonly string[];
  readonly well: string;
}[] = [
  {
    check: 'waiting jobs',
    codes: ['no_worker', 'unclaimed_jobs'],
    well: 'no due job has been waiting for 5 minutes',
  },
  { check: 'paused queues', codes: ['paused_queue'], well: 'none with due jobs' },
  {
    check: 'limits',
    codes: ['stuck_limit', 'stopped_limit', 'paused_limit'],
    well: 'no job waits beside a free place',
  },
  { check: 'circuit breakers', codes: ['open_breaker'], well: 'none is open' },
  { check: 'leases', codes: ['lost_jobs'], well: 'no lease expired without being recovered' },
  { check: 'scheduler', codes: ['late_schedules'], well: 'no schedule is late' },
  { check: 'failures', codes: ['failing_jobs'], well: 'no kind of jobs fails more than usual' },
];

/** How long a place of a limit must stay free to count as free. Usually the next job takes it within milliseconds. */
const LOOK_AGAIN_MS = 2_000;

/** Judges the deployment by the rules of the verdict, which the dashboard and alerts use as well. */
export async function checkVerdict(api: Api): Promise<readonly Finding[]> {
  return examine('verdict', 'Read the log of the http function', async () => {
    const { at, findings } = await readTwice(api);
    const known = checks.flatMap(({ check, codes, well }) => {
      const found = findings.filter(({ code }) => codes.includes(code));
      return found.length === 0 ? [ok(check, well)] : found.map((one) => toFinding(check, one, at));
    });
    // A deployment of a later version may have further rules.
    const others = findings.filter(({ code }) => !checks.some(({ codes }) => codes.includes(code)));
    return [...known, ...others.map((one) => toFinding('verdict', one, at))];
  });
}

/** Reads the verdict. If a limit seems stuck, reads it again. Keeps a stuck limit only if both verdicts have it. */
async function readTwice(
  api: Api,
): Promise<{ readonly at: string; readonly findings: readonly ShownFinding[] }> {
  const first = read(await api.get('/v1/verdict'), verdictShape);
  if (!first.findings.some(isStuck)) return first;
  await wait(LOOK_AGAIN_MS);
  const { at, findings } = read(await api.get('/v1/verdict'), verdictShape);
  const wasStuck = ({ about }: ShownFinding) =>
    first.findings.some((one) => isStuck(one) && one.about.name === about.name);
  return { at, findings: findings.filter((one) => !isStuck(one) || wasStuck(one)) };
}

function isStuck({ code }: ShownFinding): boolean {
  return code === 'stuck_limit';
}

function toFinding(check: string, { severity, text, advice, since }: ShownFinding, at: string): Finding {
  const make = severity === 'failure' ? failure : warning;
  return make(check, since === null ? text : `${text}, since ${since} (${age(since, at)})`, advice);
}

function age(since: string, at: string): string {
  return ms(Math.max(0, Date.parse(at) - Date.parse(since)));
}
