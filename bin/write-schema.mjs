import { writeFileSync } from 'node:fs';
import { configJsonSchema, configSchemaText } from '../dist/config/schema.js';
import { configReference } from '../scripts/config-reference.mjs';

/** Writes configs/schema.json, by which editors complete and check configs, and docs/config.md, which people read: `npm run schema`. A test
 *  fails when one of them is stale. */
writeFileSync(new URL('../configs/schema.json', import.meta.url), configSchemaText());
writeFileSync(new URL('../docs/config.md', import.meta.url), configReference(configJsonSchema()));
