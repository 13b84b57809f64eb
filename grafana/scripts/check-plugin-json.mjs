// Holds each plugin.json to the type that Grafana itself generates for it. The schema is made from that type, since
// it is in no package.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const TYPES = 'node_modules/@grafana/runtime/dist/types/services/pluginMeta/types/meta/types.spec.gen.d.ts';
const PARTS = ['', 'datasource/', 'panel/'];

const read = (file) => JSON.parse(readFileSync(join(root, 'src', file), 'utf8'));
const schema = createGenerator({
  path: join(root, TYPES),
  type: 'JSONData',
  additionalProperties: false,
  skipTypeCheck: true,
}).createSchema('JSONData');
// What the type leaves out, though Grafana reads it: the name of the schema itself.
schema.definitions.JSONData.properties.$schema = { type: 'string' };
const validate = new Ajv({ allErrors: true, strict: false, allowUnionTypes: true }).compile(schema);

const faults = PARTS.flatMap((part) => {
  const file = `${part}plugin.json`;
  return validate(read(file))
    ? []
    : validate.errors.map(
        ({ instancePath, message, params }) => `src/${file}${instancePath}: ${message} ${JSON.stringify(params)}`
      );
});

// Types cannot say what belongs together.
const [app, ...nested] = PARTS.map((part) => read(`${part}plugin.json`));
for (const { id } of nested) {
  if (!id.startsWith('stormcell-')) {
    faults.push(`${id}: expected an id that begins with the app's`);
  }
}
const included = app.includes.map(({ path }) => path);
if (String(included) !== 'datasource/plugin.json,panel/plugin.json') {
  faults.push(`src/plugin.json/includes: got ${included}`);
}
for (const { dependencies, id } of nested) {
  if (dependencies.grafanaDependency !== app.dependencies.grafanaDependency) {
    faults.push(`${id}: another grafanaDependency than the app's`);
  }
}

// The paths of all three are below the app's folder.
for (const { id, info } of [app, ...nested]) {
  for (const path of [info.logos.small, info.logos.large, ...info.screenshots.map((shot) => shot.path)]) {
    if (!existsSync(join(root, 'src', path))) {
      faults.push(`${id}: there is no ${path}`);
    }
  }
}

if (faults.length) {
  console.error(faults.join('\n'));
  process.exitCode = 1;
} else {
  console.log(`${PARTS.length} plugin.json are valid`);
}
