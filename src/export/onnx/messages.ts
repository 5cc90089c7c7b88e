import { PbfReader, PbfWriter } from 'pbf';

/** The messages of an ONNX file, as far as `nn` writes them: of each field its number, and what it holds. A list is written field after field.
 *  @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const messages = {
  model: {
    irVersion: [1, 'integer'],
    producerName: [2, 'text'],
    producerVersion: [3, 'text'],
    docString: [6, 'text'],
    graph: [7, 'graph'],
    opsetImport: [8, 'operatorSet'],
    metadataProps: [14, 'entry'],
  },
  operatorSet: { domain: [1, 'text'], version: [2, 'integer'] },
  entry: { key: [1, 'text'], value: [2, 'text'] },
  graph: { node: [1, 'node'], name: [2, 'text'], initializer: [5, 'tensor'], input: [11, 'value'], output: [12, 'value'] },
  node: { input: [1, 'text'], output: [2, 'text'], name: [3, 'text'], opType: [4, 'text'], attribute: [5, 'attribute'] },
  attribute: { name: [1, 'text'], f: [2, 'float'], i: [3, 'integer'], ints: [8, 'integer'], type: [20, 'integer'] },
  tensor: { dims: [1, 'integer'], dataType: [2, 'integer'], name: [8, 'text'], rawData: [9, 'bytes'] },
  value: { name: [1, 'text'], type: [2, 'type'], docString: [3, 'text'] },
  type: { tensorType: [1, 'tensorType'] },
  tensorType: { elemType: [1, 'integer'], shape: [2, 'shape'] },
  shape: { dim: [1, 'dimension'] },
  dimension: { dimValue: [1, 'integer'], dimParam: [2, 'text'] },
} as const satisfies Record<string, Record<string, readonly [number: number, kind: string]>>;

type MessageName = keyof typeof messages;
interface Plain {
  integer: number;
  text: string;
  float: number;
  bytes: Uint8Array;
}
type Value<Kind> = Kind extends keyof Plain ? Plain[Kind] : Kind extends MessageName ? Message<Kind> : never;
type KindOf<Field> = Field extends readonly [number, infer Kind] ? Kind : never;
/** A message: each of its fields is a value, or a list of them, or left out. */
export type Message<Name extends MessageName> = {
  [Field in keyof (typeof messages)[Name]]?:
    | Value<KindOf<(typeof messages)[Name][Field]>>
    | readonly Value<KindOf<(typeof messages)[Name][Field]>>[];
};

/** The bytes of a file of ONNX. */
export function encodeModel(model: Message<'model'>): Uint8Array {
  const writer = new PbfWriter();
  writeMessage(writer, 'model', model);
  return writer.finish();
}

const writers: { [Kind in keyof Plain]: (writer: PbfWriter, field: number, value: Plain[Kind]) => void } = {
  integer: (writer, field, value) => writer.writeVarintField(field, value),
  text: (writer, field, value) => writer.writeStringField(field, value),
  float: (writer, field, value) => writer.writeFloatField(field, value),
  bytes: (writer, field, value) => writer.writeBytesField(field, value),
};

function writeMessage<Name extends MessageName>(writer: PbfWriter, name: Name, message: Message<Name>): void {
  for (const [key, [field, kind]] of Object.entries(messages[name]) as [keyof Message<Name>, readonly [number, string]][]) {
    const value: unknown = message[key];
    for (const one of value === undefined ? [] : Array.isArray(value) ? value : [value]) {
      if (kind in writers) writers[kind as keyof Plain](writer, field, one as never);
      else writer.writeMessage(field, (inner, to) => writeMessage(to, kind as MessageName, inner), one);
    }
  }
}

/** The metadata of a file of ONNX, by their keys; all else in it is passed over.
 *  @throws Error where it is no such file */
export function readMetadata(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  const reader = new PbfReader(bytes);
  reader.readFields((field) => {
    if (field !== messages.model.metadataProps[0]) return;
    const entry = { key: '', value: '' };
    reader.readMessage((inner) => {
      if (inner === messages.entry.key[0]) entry.key = reader.readString();
      if (inner === messages.entry.value[0]) entry.value = reader.readString();
    }, entry);
    found.set(entry.key, entry.value);
  }, found);
  // the reader goes on beyond the end, as the lengths in a file say
  if (reader.pos > bytes.length) throw new Error('it is cut off');
  return found;
}
