import type { Field } from './field.js';

/** Whether a form can show a value and give it back as it is: otherwise it is edited as JSON, and nothing gets lost. */
export function fits(field: Field, value: unknown): boolean {
  if (value === undefined) return true;
  switch (field.kind) {
    case 'json':
      return true;
    case 'text':
      return typeof value === 'string' && (field.isLong || !/[\r\n]/.test(value)) && !value.includes('\r');
    case 'number':
      return typeof value === 'number';
    case 'yesOrNo':
      return typeof value === 'boolean';
    case 'choice':
      return field.values.some((choice) => choice === value);
    case 'list':
      return (
        Array.isArray(value) && value.every((member) => member !== undefined && fits(field.item, member))
      );
    case 'object':
      return membersOf(value).every(([name, member]) => {
        const known = field.members.find((one) => one.name === name);
        return known !== undefined && fits(known.field, member);
      });
  }
}

/** The members of an object; one that stands for none when it is no object. */
export function membersOf(value: unknown): readonly (readonly [name: string, value: unknown])[] {
  const isObject =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isObject ? Object.entries(value) : [['', value]];
}
