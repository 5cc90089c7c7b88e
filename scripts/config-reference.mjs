// docs/config.md: every field of a config with its values, default and meaning, made of the JSON Schema. `npm run schema` writes it.

/** @param schema  the JSON Schema of a config
 *  @returns Markdown */
export function configReference(schema) {
  const sections = [];
  /** object → the path under which it is described */
  const described = new Map();
  /** path → that under which the same object is described */
  const same = new Map();

  function describe(path, of) {
    if (path.endsWith('layers[].layers[]')) return; // of a residual block: as those around it
    const kinds = objectsIn(of);
    if (kinds.length === 0) return;
    const key = JSON.stringify(kinds);
    if (described.has(key)) {
      same.set(path, described.get(key));
      return;
    }
    described.set(key, path);
    const place = sections.push('') - 1; // before the objects within it
    sections[place] = [`## ${path}`, ...kinds.map((kind) => tableOf(path, kind))].join('\n\n');
  }

  function tableOf(path, { properties = {}, required = [], description, additionalProperties }) {
    const kind = kindOf(properties);
    const fields = Object.entries(properties).filter(([name]) => name !== '$schema' && name !== kind?.name);
    const rows = fields.map(([name, of]) => {
      const isNeeded = required.includes(name);
      const fallback = of.default === undefined ? '' : code(JSON.stringify(of.default));
      return [code(name), linked(valuesOf(of), nameOf(path, name, of)), isNeeded ? 'needed' : fallback, of.description ?? ''];
    });
    const title = kind && `**${code(`"${kind.name}": "${kind.value}"`)}**${kind.summary ? `: ${kind.summary}` : ''}`;
    const table = [['', 'values', 'default', 'what it is'], ['---', '---', '---', '---'], ...rows];
    const lines = table.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`);
    const free =
      typeof additionalProperties === 'object' ? `Each is the path of a field, with ${valuesOf(additionalProperties)}.` : '';
    const parts = [title, description, rows.length > 0 ? lines.join('\n') : '', free];
    if (free) describe(`${path}.PATH`, additionalProperties);
    for (const [name, of] of fields) describe(nameOf(path, name, of), of);
    return parts.filter(Boolean).join('\n\n');
  }

  /** Values that are described further below, with where. */
  const linked = (text, path) => (text.includes('…') ? `${text}: @${path}@` : text);

  describe('The config', schema);
  const anchored = (text) =>
    text.replace(/: @([^@]+)@/g, (_, path) => {
      const of = path.endsWith('layers[].layers[]') ? 'model.layers[]' : (same.get(path) ?? path);
      return `: [${of}](#${of.toLowerCase().replaceAll(/[^a-z\d-]/g, '')})`;
    });
  return `${[head, ...sections.map(anchored)].join('\n\n')}\n`;
}

const head = `# Every field of a config

Made of the JSON Schema (\`nn config schema\`) by \`npm run schema\`; do not edit it. A field that is left out has its default. On the command line \`--set PATH=VALUE\` sets any of them, items of a list by their number from 0:
\`--set model.layers.0.filters=16 --set training.optimizer.name=adamw --set training.optimizer.weightDecay=0.1\`. \`nn config show FILE\` prints a config with all defaults, \`nn config check FILE\` says what network it makes.
The output layer, one unit with a sigmoid, is always there and is not written.

## From Keras and PyTorch

| there | here |
| --- | --- |
| \`Dense\`, \`Linear\` | \`{ "units": 64 }\` |
| \`Conv2D(filters, kernel_size, strides)\`, \`Conv2d\` | \`{ "type": "conv", "filters": 32, "kernel": 3, "stride": 1 }\` |
| \`MaxPooling2D(pool_size)\`, \`MaxPool2d\`; \`AveragePooling2D\`, \`AvgPool2d\`; \`AdaptiveAvgPool2d(1)\` | \`{ "type": "maxPool", "size": 2 }\`, \`averagePool\`, \`globalAveragePool\` |
| a residual block, \`Add\` | \`{ "type": "residual", "layers": [ … ] }\`, whose layers give the shape that comes in |
| \`BatchNormalization\`, \`BatchNorm2d\` as a layer | \`"batchNorm": true\` of the layer before it |
| \`Dropout(p)\` as a layer | \`"keepProb": 1 − p\` of the layer before it |
| \`Flatten\` | by itself, before the first dense layer |
| \`CosineAnnealingLR\`, \`StepLR(step_size, gamma)\`, \`ExponentialLR(gamma)\`, \`OneCycleLR\` | \`training.schedule\`: \`cosine\`, \`step\` (\`every\`, \`factor\`), \`exponential\` (\`rate\`), \`oneCycle\` |
| \`AdamW(weight_decay)\` | \`training.optimizer\`: \`{ "name": "adamw", "weightDecay": 0.01 }\` |
| \`EMA\`, \`AveragedModel\` | \`training.averageWeights\` |
| \`clip_grad_norm_\`, \`clipnorm\` | \`training.clipNorm\` |
| \`RandomFlip\`, \`RandomAffine\`, \`ColorJitter\` | \`data.augment\` |
| test-time augmentation | \`training.averageMirrored\` |
| \`validation_split\`, \`train_test_split\` | \`data.split\`; a validation set is called dev |
| \`EarlyStopping(patience)\`, \`class_weight\`, \`label_smoothing\` | \`training.earlyStopping\`, \`training.classWeight\`, \`training.labelSmoothing\` (half of Keras's) |

What \`nn\` does not have: grouped, depthwise and dilated convolutions, residual blocks that change the shape, Nesterov momentum, a cosine schedule with restarts, pretrained weights of other programs.`;

const nameOf = (path, name, of) => `${path === 'The config' ? '' : `${path}.`}${name}${of.type === 'array' ? '[]' : ''}`;
const code = (text) => `\`${text}\``;

/** The objects that a value may be, of lists those of an item. */
function objectsIn(of) {
  if (of.type === 'array') return objectsIn(of.items ?? {});
  if (of.properties || typeof of.additionalProperties === 'object') return [of];
  return (of.oneOf ?? of.anyOf ?? []).flatMap(objectsIn);
}

/** The field that says which of several kinds an object is. */
function kindOf(properties) {
  for (const name of ['type', 'name']) {
    const of = properties[name];
    if (of?.const !== undefined) return { name, value: of.const, summary: of.description };
  }
  return undefined;
}

/** What may stand there, in words. */
function valuesOf(of) {
  if (of.const !== undefined) return code(JSON.stringify(of.const));
  if (of.enum) return of.enum.map((value) => code(JSON.stringify(value))).join(', ');
  const choices = of.oneOf ?? of.anyOf;
  if (choices) {
    const names = choices.flatMap(({ properties }) => (properties && kindOf(properties) ? [kindOf(properties)] : []));
    const kinds =
      names.length === 0
        ? []
        : [`${code(`{ "${names[0].name}": … }`)} of ${names.map(({ value }) => code(`"${value}"`)).join(', ')}`];
    const others = choices.filter(({ properties }) => !(properties && kindOf(properties))).map(valuesOf);
    return [...new Set([...others, ...kinds])].join(' or ');
  }
  if (of.type === 'array') return of.items ? `a list, each ${valuesOf(of.items)}` : `a list of ${(of.prefixItems ?? []).length}`;
  const [only, ...more] = Object.keys(of.properties ?? {});
  if (only !== undefined && more.length === 0) return code(`{ "${only}": [ … ] }`);
  if (of.properties) return code('{ … }');
  if (of.type === 'boolean') return '`true`, `false`';
  if (of.type === 'null') return '`null`';
  if (of.type === 'string') return 'a text';
  if (of.type === 'integer' || of.type === 'number') return `a ${of.type === 'integer' ? 'whole ' : ''}number${boundsOf(of)}`;
  return of.type === 'object' ? code('{ … }') : 'any value';
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const isAny = (value) => value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  const low = !isAny(minimum) ? `from ${minimum}` : !isAny(exclusiveMinimum) ? `above ${exclusiveMinimum}` : '';
  const high = !isAny(maximum) ? `to ${maximum}` : !isAny(exclusiveMaximum) ? `below ${exclusiveMaximum}` : '';
  return [low, high]
    .filter(Boolean)
    .map((one) => ` ${one}`)
    .join(',')
    .replace(', to', ' to');
}
