import { join } from 'node:path';
import { courseFiles, fetchCourse } from '../data/fetch-course.ts';
import type { ExitKind } from '../errors.ts';
import { takeLock } from '../run/lock.ts';
import type { Command, Context, Progress } from './command.ts';
import { wordOption } from './options.ts';

interface Values {
  from?: string;
  to: string;
}

export const command: Command<Values> = {
  arguments: [{ syntax: '<what>', summary: "course: the course's 209 pictures for training and 50 for test", words: ['course'] }],
  options: [
    { flags: '--from <place>', summary: 'a folder that holds the files, or an address below which they lie' },
    { flags: '--to <dir>', summary: 'where they go', default: 'data/course' },
    { flags: '--json', summary: 'print the paths as JSON' },
  ],
  examples: ['nn data fetch course', 'nn data fetch course --from ~/Downloads'],
  run: fetch,
};

async function fetch(context: Context, { from, to }: Values, [what]: string[]): Promise<ExitKind | undefined> {
  wordOption('data fetch', ['course'])(what!);
  let bar: Progress | undefined;
  const paths: string[] = [];
  const lock = async () => {
    const taken = await takeLock({ path: join(to, 'fetch.lock'), title: to, expected: 'a folder that nobody else fetches into' });
    return taken.release;
  };
  for await (const event of fetchCourse({ to, lock, signal: context.signal, ...(from === undefined ? {} : { from }) })) {
    if (event.type === 'progress') {
      bar ??= context.progress(event.file, event.bytesTotal);
      bar.update(event.bytesDone);
      continue;
    }
    bar?.stop();
    bar = undefined;
    if (event.type === 'try') context.note(`${event.file} from ${event.from}`);
    else if (event.type === 'failed') context.warn(`${event.from}: ${event.reason}`);
    else {
      paths.push(event.path);
      if (!context.json) context.printRow([event.path, event.type]);
    }
  }
  if (context.json) context.print(JSON.stringify({ files: paths }));
  if (paths.length !== courseFiles.length) throw new Error(`fetched ${paths.length} files, expected ${courseFiles.length}`);
  return undefined;
}
