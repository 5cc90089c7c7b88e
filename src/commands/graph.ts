import { loadConfig } from '../config/load.ts';
import type { ExitKind } from '../errors.ts';
import { networkGraph } from '../report/graph.ts';
import { type GraphFormat, graphFormats } from '../report/graph-formats.ts';
import { networkOf } from '../training/plan.ts';
import type { Command, Context } from './command.ts';
import { configOption, setOption, wordFlag } from './options.ts';

interface Values {
  config: string;
  set?: string[];
  format: GraphFormat;
}

const formats = Object.keys(graphFormats) as GraphFormat[];

export const command: Command<Values> = {
  options: [
    { ...configOption, summary: 'the JSON config; its data is not needed' },
    setOption,
    wordFlag(
      '-f, --format <format>',
      formats.map((name) => `${name}: ${graphFormats[name].summary}`).join('; '),
      formats,
      'text',
    ),
    { flags: '--json', summary: 'print nodes and edges as JSON' },
  ],
  examples: [
    'nn graph --config configs/course-four-layer.json',
    'nn graph --config configs/quickstart.json --format svg > graph.svg',
    'nn graph --config configs/quickstart.json --set \'model.layers=[{"units":20,"batchNorm":true}]\' --format mermaid',
  ],
  run: graph,
};

async function graph(context: Context, { config: file, set = [], format }: Values): Promise<ExitKind | undefined> {
  const { config } = await loadConfig(file, set);
  const { loss, l2, classWeight } = config.training;
  const network = networkOf(config, config.data.imageSize ** 2 * 3);
  const drawn = networkGraph(network, { loss, l2, weighted: classWeight !== 'none' });
  const shown = context.json ? JSON.stringify(drawn) : graphFormats[format].render(drawn);
  if (context.json || typeof shown !== 'string') context.print(shown);
  else context.printExact(shown);
  return undefined;
}
