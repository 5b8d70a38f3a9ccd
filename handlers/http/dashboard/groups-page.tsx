import type { GroupProgress } from '../../../src/index.js';
import type { GroupKindShown } from './group-kind.js';
import { GroupBar, GroupState } from './group-state.js';
import { Moment } from './parts/moment.js';
import { PageLinks } from './parts/page-links.js';

interface GroupsPageProps {
  readonly kind: GroupKindShown;
  readonly groups: readonly GroupProgress[];
  readonly cursor: string | undefined;
  readonly isFirst: boolean;
  readonly now: Date;
}

/** A list of batches or of workflows. */
export function GroupsPage({ kind, groups, cursor, isFirst, now }: GroupsPageProps) {
  return (
    <>
      <h1>{kind.title}</h1>
      <section class="card" id="groups" data-live aria-label={kind.title}>
        {groups.length === 0 ? (
          <p class="empty">
            There are no {kind.many}. Code adds one with <code>{kind.method}</code>.
          </p>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Id</th>
                  <th scope="col">Status</th>
                  <th scope="col">Completed</th>
                  <th scope="col">Added</th>
                  <th scope="col">Ended</th>
                </tr>
              </thead>
              <tbody data-held>
                {groups.map((group) => (
                  <tr id={`group-${encodeURIComponent(group.id)}`}>
                    <th scope="row">
                      <a href={kind.pathOf(group.id)}>{group.id}</a>
                    </th>
                    <td data-label="Status">
                      <GroupState status={group.status} />
                    </td>
                    <td data-label="Completed">
                      <GroupBar group={group} now={now} />
                    </td>
                    <td data-label="Added">
                      <Moment at={group.created} now={now} />
                    </td>
                    <td class="more" data-label="Ended">
                      {group.closed ? <Moment at={group.closed} now={now} /> : '–'}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <PageLinks first={kind.path} isFirst={isFirst} cursor={cursor} what={kind.many} />
      </section>
    </>
  );
}
