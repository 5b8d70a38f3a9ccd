import type { StepWait } from '../../../../src/index.js';
import { waitText } from '../../../wait-text.js';
import { Moment } from './moment.js';

/** Says what a suspended job waits for, such as `sleeps until in 2 days`, or `waits for paid (until in 3 days)`. */
export function WaitLabel({ wait, now }: { wait: StepWait; now: Date }) {
  const { kind, until } = wait;
  const moment = until && <Moment at={until} now={now} />;
  if (!moment) return <>{waitText(wait)}</>;
  if (kind === 'signal')
    return (
      <>
        {waitText(wait)} (until {moment})
      </>
    );
  return (
    <>
      {waitText(wait)} {kind === 'sleep' && 'until '}
      {moment}
    </>
  );
}
