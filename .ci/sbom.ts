/**
 * Prints the software bill of materials of the package (CycloneDX): what is installed with it, and what is in it, which
 * npm counts as needed for development alone. The build must have been made.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as z from 'zod';

const propertySchema = z.object({ name: z.string(), value: z.string() });
const componentSchema = z.looseObject({ 'bom-ref': z.string(), properties: z.array(propertySchema) });
const bomSchema = z.looseObject({
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});
const bundledSchema = z.array(z.object({ name: z.string(), version: z.string() }));

const all = sbom();
const installed = sbom('--omit', 'dev');
const own = installed.dependencies[0]?.ref;
const bundled = bundledSchema
  .parse(JSON.parse(readFileSync('dist/bundled/packages.json', 'utf8')))
  .map(({ name, version }) => `${name}@${version}`);
const kept = new Set([...installed.components.map((component) => component['bom-ref']), ...bundled]);
const components = all.components
  .filter((component) => kept.has(component['bom-ref']))
  .map(({ properties, ...component }) => ({ ...component, properties: properties.filter(isOfPackage) }));
const missing = bundled.filter((ref) => !components.some((component) => component['bom-ref'] === ref));
if (missing.length > 0) throw new Error(`npm does not know of ${missing}, which dist/ contains`);

const dependencies = all.dependencies
  .filter(({ ref }) => ref === own || kept.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
console.log(JSON.stringify({ ...all, components, dependencies }, undefined, 2));

function isOfPackage({ name }: z.output<typeof propertySchema>): boolean {
  return name !== 'cdx:npm:package:development';
}

function sbom(...args: string[]): z.output<typeof bomSchema> {
  const command = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', ...args];
  return bomSchema.parse(JSON.parse(execFileSync('npm', command, { encoding: 'utf8', maxBuffer: 2 ** 26 })));
}
