import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

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
  return writeMessage(new BinaryWriter(), 'model', model).finish();
}

const writers: { [Kind in keyof Plain]: (writer: BinaryWriter, field: number, value: Plain[Kind]) => void } = {
  integer: (writer, field, value) => writer.tag(field, WireType.Varint).int64(value),
  text: (writer, field, value) => writer.tag(field, WireType.LengthDelimited).string(value),
  float: (writer, field, value) => writer.tag(field, WireType.Bit32).float(value),
  bytes: (writer, field, value) => writer.tag(field, WireType.LengthDelimited).bytes(value),
};

function writeMessage<Name extends MessageName>(writer: BinaryWriter, name: Name, message: Message<Name>): BinaryWriter {
  for (const [key, [field, kind]] of Object.entries(messages[name]) as [keyof Message<Name>, readonly [number, string]][]) {
    const value: unknown = message[key];
    for (const one of value === undefined ? [] : Array.isArray(value) ? value : [value]) {
      if (kind in writers) writers[kind as keyof Plain](writer, field, one as never);
      else writeMessage(writer.tag(field, WireType.LengthDelimited).fork(), kind as MessageName, one).join();
    }
  }
  return writer;
}

/** The metadata of a file of ONNX, by their keys; all else in it is passed over.
 *  @throws Error where it is no such file */
export function readMetadata(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  const reader = new BinaryReader(bytes);
  const [entries] = messages.model.metadataProps;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === entries && type === WireType.LengthDelimited) {
      const { key = '', value = '' } = readEntry(reader.bytes());
      found.set(key, value);
    } else reader.skip(type, field);
  }
  return found;
}

function readEntry(bytes: Uint8Array): { key?: string; value?: string } {
  const entry: { key?: string; value?: string } = {};
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const key = (['key', 'value'] as const).find((name) => messages.entry[name][0] === field);
    if (key !== undefined && type === WireType.LengthDelimited) entry[key] = reader.string(true);
    else reader.skip(type, field);
  }
  return entry;
}
