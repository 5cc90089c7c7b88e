import { writeFileSync } from 'node:fs';
import { configSchemaText } from '../dist/config/schema.js';

/** Writes configs/schema.json, by which editors complete and check configs: `npm run schema`. A test fails when it is stale. */
writeFileSync(new URL('../configs/schema.json', import.meta.url), configSchemaText());
