/** Returns a condition that matches texts that contain a user's text literally, never as a pattern, in upper or lower case. */
export function containing(text: string): { readonly $regex: string; readonly $options: 'i' } {
  return { $regex: text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), $options: 'i' };
}
