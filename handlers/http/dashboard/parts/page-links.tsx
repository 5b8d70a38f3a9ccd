interface PageLinksProps {
  /** The URL of the first page, which may have a query. */
  readonly first: string;
  readonly isFirst: boolean;
  readonly parameter?: string;
  /** The cursor of the next page, if there is one. */
  readonly cursor: string | undefined;
  /** The name of the listed things, such as `jobs`. */
  readonly what: string;
}

/** Links from a page of a list to the next, and back to the first. */
export function PageLinks({ first, isFirst, parameter = 'cursor', cursor, what }: PageLinksProps) {
  if (isFirst && cursor === undefined) return null;
  return (
    <p class="pages">
      {!isFirst && <a href={first}>Back to the first</a>}
      {cursor !== undefined && (
        <a
          class="button"
          href={`${first}${first.includes('?') ? '&' : '?'}${new URLSearchParams({ [parameter]: cursor })}`}
        >
          More {what}
        </a>
      )}
    </p>
  );
}
