import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../dist/config/schema.js';

/** Writes configs/schema.json, by which editors complete and check configs: `npm run schema`. A test fails when it is stale. */
writeFileSync(new URL('../configs/schema.json', import.meta.url), `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
