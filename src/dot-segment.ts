/**
 * Returns whether a text has a segment `.` or `..` between slashes or backslashes. Browsers and libraries treat such a segment
 * as a folder.
 */
export function hasDotSegment(text: string): boolean {
  return /(^|[/\\])\.\.?($|[/\\])/.test(text);
}

/** Arguments of `refine` for a text that becomes part of a URL. */
export const hasAddress = [
  (text: string) => !hasDotSegment(text),
  "expected a text without '.' and '..' by themselves or between slashes, for it has no address",
] as const;
