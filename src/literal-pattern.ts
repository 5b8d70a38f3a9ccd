/**
 * Returns a condition for texts that contain a user's text, in upper or lower case. No character of the user's text acts as a
 * pattern.
 */
export function containing(text: string): { readonly $regex: string; readonly $options: 'i' } {
  return { $regex: text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), $options: 'i' };
}
