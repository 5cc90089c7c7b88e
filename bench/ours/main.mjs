// This project as a competitor, over the built library: main.mjs '{"precision": "float32", "form": "direct"}'.
import { readFileSync } from 'node:fs';
import { answerLines } from '../answer.mjs';

const settings = JSON.parse(process.argv[2]);
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

// loaded when they are needed: a whole training counts what it loads
const kinds = {
  step: () => import('./step.mjs'),
  whole: () => import('./whole.mjs'),
  inference: () => import('./inference.mjs'),
  decode: () => import('./decode.mjs'),
};

await answerLines(`nn ${version}`, async (job, folder) => {
  const { prepare } = await kinds[job.kind]();
  return prepare(job, folder, settings);
});
