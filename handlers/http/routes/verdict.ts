import * as z from 'zod';
import { findingActions, findingCodes } from '../../../src/verdict/finding.js';
import { documented } from '../documented.js';
import { moment } from '../fields.js';
import { defineRoute } from '../route.js';

const subject = z.object({
  type: z.enum(['deployment', 'job', 'queue', 'schedule', 'limit']),
  name: z.string().register(documented, {
    description:
      'The name of a kind of jobs or a queue, the id of a schedule, or the key of a limit. Empty for the deployment.',
  }),
});

const finding = z.object({
  code: z.enum(findingCodes),
  severity: z.enum(['failure', 'warning']),
  about: subject,
  text: z.string(),
  advice: z.string(),
  since: moment.nullable(),
  actions: z.array(z.enum(findingActions)),
  failureKey: z.string().nullable(),
  queue: z.string().nullable(),
  jobId: z.string().nullable(),
});

const getVerdict = defineRoute({
  method: 'GET',
  path: '/v1/verdict',
  operation: 'getVerdict',
  isList: true,
  role: 'read',
  summary: 'Judge the state of the deployment',
  description:
    'Finds kinds of jobs that fail, due jobs that nobody claims, lost jobs, late schedules, paused queues with jobs, limits that stand still, and open circuit breakers. The same rules as those of the dashboard, of alerts and of `remote-processor doctor`. The counts of workers may be a minute late.',
  asks: () => z.object({}),
  reply: {
    status: 200,
    description:
      'What is wrong, failures first, at most 20 findings of each code. A `failure` keeps jobs from running or makes them fail. A `warning` may be intended. `actions` says what can be done at once: `see`, `retry` the jobs of `failureKey` or `jobId`, `pause` the `queue`, `resume` the queue or limit, or `skip` the job that stops a strict order.',
    schema: () => z.object({ at: moment, isWell: z.boolean(), findings: z.array(finding) }),
    example: {
      at: '2026-01-31T19:58:06.123Z',
      isWell: false,
      findings: [
        {
          code: 'failing_jobs',
          severity: 'failure',
          about: { type: 'job', name: 'billing.charge' },
          text: 'billing.charge: 83 % of attempts fail (10 of 12 in 15 minutes), most with: connect ECONNREFUSED <host>',
          advice:
            'See the failures: remote-processor failures list --name billing.charge. Once the cause is gone, retry them',
          since: '2026-01-31T19:45:00.000Z',
          actions: ['see', 'retry', 'pause'],
          failureKey: 'billing.charge:3f2a9c1b04de',
          queue: 'billing',
          jobId: null,
        },
      ],
    },
  },
  async answer(_, { processor }) {
    const { at, isWell, findings } = await processor.verdict();
    return {
      body: {
        at,
        isWell,
        findings: findings.map(({ since, failureKey, queue, jobId, actions, ...rest }) => ({
          ...rest,
          since: since ?? null,
          actions: [...actions],
          failureKey: failureKey ?? null,
          queue: queue ?? null,
          jobId: jobId ?? null,
        })),
      },
    };
  },
});

export const verdictRoutes = [getVerdict];
