import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** From here on the processes that a test starts, bin/nn.js over dist/, write down at their end which code ran: Node looks at this
 *  as it starts, so that Vitest's own process, which is watched another way, does not. */
const folder = join(import.meta.dirname, '../coverage/processes');
mkdirSync(folder, { recursive: true });
chmodSync(folder, 0o777); // some of them run as another user
process.env['NODE_V8_COVERAGE'] = folder;
