/** Whether there is a segment `.` or `..`, by any kind of slash: browsers and libraries take them for folders. */
export function hasDotSegment(text: string): boolean {
  return /(^|[/\\])\.\.?($|[/\\])/.test(text);
}

/** For `refine`, of what stands in an address. */
export const hasAddress = [
  (text: string) => !hasDotSegment(text),
  "expected a text without '.' and '..' by themselves or between slashes, for it has no address",
] as const;
