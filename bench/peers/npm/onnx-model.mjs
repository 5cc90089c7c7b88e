// ONNX files, as far as the graphs of onnx.mjs need them: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const elementTypes = { float32: 1, uint8: 2, int64: 7 };
const [operatorSet, version] = [17, 8];

/**
 * @param nodes  [operator, inputs, output, attributes?]
 * @param inputs  [name, type, shape]; @param outputs  [name, type, shape]
 * @param constants  [name, Float32Array or BigInt64Array, shape]
 * @returns the bytes of a model
 */
export function onnxModel({ nodes, inputs, outputs, constants }) {
  const graph = [
    ...nodes.map((node) => message(1, nodeOf(node))),
    text(2, 'graph'),
    ...constants.map((constant) => message(5, tensorOf(constant))),
    ...inputs.map((value) => message(11, typedOf(value))),
    ...outputs.map((value) => message(12, typedOf(value))),
  ];
  return Buffer.concat([whole(1, version), message(7, graph), message(8, [text(1, ''), whole(2, operatorSet)])]);
}

function nodeOf([operator, inputs, output, attributes = {}]) {
  return [
    ...inputs.map((name) => text(1, name)),
    ...[output].flat().map((name) => text(2, name)),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attributeOf(name, value))),
  ];
}

/** Whole numbers as numbers, others as { float }. */
function attributeOf(name, value) {
  const [floats, integers] = [1, 2];
  if (typeof value === 'object') return [text(1, name), float(2, value.float), whole(20, floats)];
  return [text(1, name), whole(3, value), whole(20, integers)];
}

function tensorOf([name, data, shape]) {
  const type = data instanceof Float32Array ? 'float32' : 'int64';
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return [...shape.map((length) => whole(1, length)), whole(2, elementTypes[type]), text(8, name), bytes(9, raw)];
}

function typedOf([name, type, shape]) {
  const dimensions = shape.map((length) => message(1, [whole(1, length)]));
  return [text(1, name), message(2, [message(1, [whole(1, elementTypes[type]), message(2, dimensions)])])];
}

// protocol buffers: a field is its number and kind, then its value
const varint = (value) => {
  const out = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...out, left]);
    out.push((left % 128) + 128);
  }
};
const key = (field, kind) => varint(field * 8 + kind);
const whole = (field, value) => Buffer.concat([key(field, 0), varint(value)]);
const bytes = (field, value) => Buffer.concat([key(field, 2), varint(value.length), value]);
const text = (field, value) => bytes(field, Buffer.from(value));
const message = (field, parts) => bytes(field, Buffer.concat(parts));
const float = (field, value) => {
  const four = Buffer.alloc(4);
  four.writeFloatLE(value);
  return Buffer.concat([key(field, 5), four]);
};
