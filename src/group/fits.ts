/** A JSON Schema. This code reads only some of its keywords. */
type Schema = { readonly [keyword: string]: unknown };

/**
 * Returns why no value of one JSON Schema can be a value of another. Returns undefined if some value can, or if that is
 * unknown. Compares types and required members, which reveals most mistakes.
 *
 * @param from schema of a result
 * @param to schema of the input, or of a part of it
 * @param path path into the input
 */
export function whyNotFitting(from: unknown, to: unknown, path: string): string | undefined {
  if (!isSchema(from) || !isSchema(to)) return undefined;
  const [given, expected] = [typesOf(from), typesOf(to)];
  if (given && expected && !given.some((type) => expected.some((other) => overlap(type, other))))
    return `${path === '' ? '' : `${path}: `}expected ${expected.join(' or ')}, and it is ${given.join(' or ')}`;
  if (!given?.every((type) => type === 'object')) return undefined;
  const members = isSchema(from.properties) ? from.properties : {};
  const wanted = isSchema(to.properties) ? to.properties : {};
  for (const name of Array.isArray(to.required) ? to.required.map(String) : []) {
    const inner = path === '' ? name : `${path}.${name}`;
    if (!Object.hasOwn(members, name)) {
      if (from.additionalProperties === false) return `${inner}: expected, and it has none`;
      continue;
    }
    const problem = whyNotFitting(members[name], wanted[name], inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Returns why no value of a JSON Schema has anything at a path. Returns undefined if some value may, or if that is unknown. */
export function whyNotThere(schema: unknown, path: string): string | undefined {
  const names = path === '' ? [] : path.split('.');
  const missing = names.findIndex((name, depth) => {
    const inner = schemaAt(schema, names.slice(0, depth).join('.'));
    if (!isSchema(inner) || inner.additionalProperties !== false) return false;
    return !isSchema(inner.properties) || !Object.hasOwn(inner.properties, name);
  });
  return missing === -1 ? undefined : `it has no '${names.slice(0, missing + 1).join('.')}'`;
}

/** Returns the schema at a path of members, or undefined if it is unknown. */
export function schemaAt(schema: unknown, path: string): unknown {
  if (path === '') return schema;
  return path.split('.').reduce<unknown>((inner, name) => {
    if (!isSchema(inner) || !isSchema(inner.properties)) return undefined;
    return Object.hasOwn(inner.properties, name) ? inner.properties[name] : undefined;
  }, schema);
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typesOf({ type }: Schema): readonly string[] | undefined {
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.map(String) : undefined;
}

function overlap(one: string, other: string): boolean {
  const numbers = ['number', 'integer'];
  return one === other || (numbers.includes(one) && numbers.includes(other));
}
