import type { OperationInfo } from '../../../src/index.js';
import { OperationBar, OperationStateLabel } from './operation-state.js';
import { actionText, conditionsText } from './operation-words.js';
import { Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';
import { operationPath, operationsPath } from './paths.js';

interface OperationsPageProps {
  readonly operations: readonly OperationInfo[];
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  readonly now: Date;
}

/** The operations of the last 30 days, the newest first. */
export function OperationsPage({ operations, cursor, isFirst, now }: OperationsPageProps) {
  return (
    <>
      <h1>Operations</h1>
      <section class="card" id="operations" data-live aria-label="Operations">
        {operations.length === 0 ? (
          <p class="empty">
            There are none. <a href="/dashboard/failures">Retry what failed alike</a>, or change all jobs that
            match a filter from <a href="/dashboard/jobs">their list</a>.
          </p>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Operation</th>
                  <th scope="col">State</th>
                  <th scope="col">Progress</th>
                  <th scope="col">By</th>
                  <th scope="col">Begun</th>
                </tr>
              </thead>
              <tbody data-held>
                {operations.map((operation) => (
                  <Row operation={operation} now={now} />
                ))}
              </tbody>
            </table>
          </div>
        )}
        <PageLinks first={operationsPath} isFirst={isFirst} cursor={cursor} what="operations" />
      </section>
    </>
  );
}

function Row({ operation, now }: { operation: OperationInfo; now: Date }) {
  return (
    <tr id={`operation-${operation.id}`}>
      <th scope="row">
        <a href={operationPath(operation.id)}>{actionText(operation)}</a>
        <div class="quiet">{conditionsText(operation.filter)}</div>
      </th>
      <td data-label="State">
        <OperationStateLabel state={operation.state} />
      </td>
      <td data-label="Progress">
        <OperationBar operation={operation} />
      </td>
      <td class="more" data-label="By">
        {operation.by ?? '–'}
      </td>
      <td data-label="Begun">
        <Moment at={operation.started} now={now} />
      </td>
    </tr>
  );
}
