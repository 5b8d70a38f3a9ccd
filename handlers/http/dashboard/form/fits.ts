import type { Field } from './field.js';
import { MAX_MEMBERS, MAX_MEMBERS_IN_ALL } from './read-value.js';

/**
 * Returns whether a form can show a value and return it unchanged. Otherwise the value is edited as JSON, so that
 * nothing is lost.
 */
export function fits(field: Field, value: unknown): boolean {
  return fitsWithin(field, value, { membersLeft: MAX_MEMBERS_IN_ALL });
}

function fitsWithin(field: Field, value: unknown, room: { membersLeft: number }): boolean {
  if (value === undefined) return true;
  switch (field.kind) {
    case 'json':
      return true;
    case 'text':
      return (
        typeof value === 'string' &&
        (field.isLong || !/[\r\n]/.test(value)) &&
        !value.includes('\r') &&
        (field.mayBeEmpty || value !== '')
      );
    case 'number':
      return typeof value === 'number';
    case 'yesOrNo':
      return typeof value === 'boolean';
    case 'choice':
      return field.values.some((choice) => choice === value);
    case 'list':
      if (!Array.isArray(value) || value.length > MAX_MEMBERS) return false;
      room.membersLeft -= value.length;
      return (
        room.membersLeft >= 0 &&
        value.every((member) => member !== undefined && fitsWithin(field.item, member, room))
      );
    case 'object':
      return membersOf(value).every(([name, member]) => {
        const known = field.members.find((one) => one.name === name);
        return known !== undefined && fitsWithin(known.field, member, room);
      });
  }
}

/** Returns the members of an object. For any other value, returns a single member that fits no field. */
export function membersOf(value: unknown): readonly (readonly [name: string, value: unknown])[] {
  const isObject =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isObject ? Object.entries(value) : [['', value]];
}
