import { readFileSync } from 'node:fs';
import { ownFile } from './own-files.ts';

/** Of nn, as package.json has it. */
export const version = (JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as { version: string }).version;
