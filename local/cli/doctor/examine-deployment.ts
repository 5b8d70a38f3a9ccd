import type { Api } from '../api/api.js';
import { exitCode } from '../exit-code.js';
import { toFailure } from '../to-failure.js';
import { clockFinding } from './check-clock.js';
import { checkVerdict } from './check-verdict.js';
import { type Finding, failure, ok } from './finding.js';

/** Makes all checks that are possible over HTTP. */
export async function examineDeployment(api: Api): Promise<readonly Finding[]> {
  try {
    await api.get('/health');
    const health = ok('deployment', 'it answers, and its database answers');
    const asked = Date.now();
    const { headers } = await api.send('GET', '/v1/workers', {});
    const now = Date.parse(headers.get('date') ?? '');
    const clock = Number.isNaN(now)
      ? []
      : [clockFinding(now - asked, DATE_PRECISION_MS + Date.now() - asked)];
    const findings = await checkVerdict(api);
    return [health, ok('API key', 'it is accepted'), ...clock, ...findings];
  } catch (error) {
    const { message, exitCode: code } = await toFailure(error);
    return code === exitCode.refused
      ? [
          failure(
            'API key',
            message,
            'Set REMOTE_PROCESSOR_API_KEY to a key whose entry is in API_KEYS of the deployment',
          ),
        ]
      : [failure('deployment', message, 'Check --url, the log of the http function, and its database')];
  }
}

/** The Date header has whole seconds. */
const DATE_PRECISION_MS = 1000;
