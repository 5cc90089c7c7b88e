import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { decodeTensors, encodeTensors, type Tensor, type TensorArray } from '../../src/run/tensor-file.ts';

/** A file by the specification: the header's length in 8 bytes, little-endian; the header; the bytes of the tensors. */
function file(header: string | Uint8Array | object, body: Uint8Array = new Uint8Array(), length?: bigint): Uint8Array {
  const text = header instanceof Uint8Array ? header : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([start, text, body]);
}

const decode = (bytes: Uint8Array) => decodeTensors(bytes, 'x.safetensors');
const entry = (dtype: string, shape: unknown, from: unknown, to: unknown) => ({ dtype, shape, data_offsets: [from, to] });

const arrays: Record<string, fc.Arbitrary<TensorArray>> = {
  F64: fc.float64Array({ maxLength: 30 }),
  F32: fc.float32Array({ maxLength: 30 }),
  U8: fc.uint8Array({ maxLength: 30 }),
  I32: fc.int32Array({ maxLength: 30 }),
};
const tensor: fc.Arbitrary<Tensor> = fc
  .oneof(...Object.values(arrays))
  .chain((data) => fc.constantFrom([data.length], [1, data.length], [data.length, 1, 1]).map((shape) => ({ shape, data })));
const name = fc.oneof(
  fc.string().filter((text) => text !== '__metadata__'),
  fc.constantFrom('W1', '__proto__', 'constructor', 'toString', '7', '0', 'ünï', '"\\\n', ''),
);

const bytesOf = (data: TensorArray) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

describe('what is written', () => {
  test('is read back to the bit: tensors, shapes and metadata', () => {
    const metadata = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor), { maxLength: 6 }), metadata, (entries, words) => {
        const tensors = Object.fromEntries(entries);
        const found = decode(encodeTensors({ metadata: words, tensors }));
        expect(Object.entries(found.metadata).sort()).toEqual(Object.entries(words).sort());
        expect(Object.keys(found.tensors).sort()).toEqual(Object.keys(tensors).sort());
        for (const key of Object.keys(tensors)) {
          expect(found.tensors[key]!.shape).toEqual(tensors[key]!.shape);
          expect(found.tensors[key]!.data.constructor).toBe(tensors[key]!.data.constructor);
          expect(bytesOf(found.tensors[key]!.data)).toBe(bytesOf(tensors[key]!.data));
        }
      }),
    );
  });

  test('starts its tensors at a multiple of 8, and each at a multiple of its own width', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor), { maxLength: 6 }), fc.string(), (entries, word) => {
        const bytes = Buffer.from(encodeTensors({ metadata: { word }, tensors: Object.fromEntries(entries) }));
        const length = Number(bytes.readBigUInt64LE());
        expect(length % 8).toBe(0);
        const { __metadata__: _, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString());
        const widths: Record<string, number> = { F64: 8, F32: 4, I32: 4, U8: 1 };
        for (const {
          dtype,
          data_offsets: [start],
        } of Object.values<{ dtype: string; data_offsets: [number] }>(header)) {
          expect(start % widths[dtype]!).toBe(0);
        }
      }),
    );
  });

  test('is only the part of a buffer that a tensor is a view of', () => {
    const data = Float32Array.from([1, 2, 3, 4]).subarray(1, 3);
    const { tensors } = decode(encodeTensors({ metadata: {}, tensors: { part: { shape: [2], data } } }));
    expect([...tensors['part']!.data]).toEqual([2, 3]);
  });

  test('cannot have a tensor in place of its metadata', () => {
    const tensors = { __metadata__: { shape: [1], data: Uint8Array.of(1) } };
    expect(() => encodeTensors({ metadata: {}, tensors })).toThrow(/__metadata__/);
  });
});

describe('a file written by hand after the specification', () => {
  // huggingface/safetensors, README, "Format": 8 bytes of length, the header, padded with spaces, the tensors
  const golden = Buffer.concat([
    Buffer.from([0x88, 0, 0, 0, 0, 0, 0, 0]), // 136 bytes of header
    Buffer.from('{"__metadata__":{"k":"v"},"b":{"dtype":"F64","shape":[],"data_offsets":[0,8]},'),
    Buffer.from('"W":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}  '),
    Buffer.from([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]), // 1 as a double, the low byte first
    Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]), // 1 and -2.5 as floats
  ]);
  const meant = {
    metadata: { k: 'v' },
    tensors: {
      W: { shape: [1, 2], data: Float32Array.of(1, -2.5) },
      b: { shape: [], data: Float64Array.of(1) },
    },
  };

  test('is read', () => {
    const { metadata, tensors } = decode(golden);
    expect(metadata).toEqual(meant.metadata);
    expect({ ...tensors }).toEqual(meant.tensors);
  });

  test('is what nn writes', () => {
    expect(Buffer.from(encodeTensors(meant)).toString('latin1')).toBe(golden.toString('latin1'));
  });

  test('is read from the middle of a larger buffer, at any address, and keeps nothing of that buffer', () => {
    for (let offset = 0; offset < 9; offset++) {
      const shelf = Buffer.alloc(400, 0xee);
      golden.copy(shelf, offset);
      const { tensors } = decode(shelf.subarray(offset, offset + golden.length));
      shelf.fill(0xee);
      expect({ ...tensors }).toEqual(meant.tensors);
      for (const { data } of Object.values(tensors)) expect(data.buffer.byteLength).toBe(data.byteLength);
    }
  });
});

describe('what the format allows beside that', () => {
  test('no metadata', () => {
    expect(decode(file({ a: entry('U8', [1], 0, 1) }, Buffer.of(7))).metadata).toEqual({});
  });

  test('no tensors', () => {
    expect(Object.keys(decode(file('{}')).tensors)).toEqual([]);
  });

  test('tensors in another order than their bytes', () => {
    const { tensors } = decode(file({ a: entry('U8', [2], 1, 3), b: entry('U8', [1], 0, 1) }, Buffer.of(1, 2, 3)));
    expect([...tensors['a']!.data]).toEqual([2, 3]);
    expect([...tensors['b']!.data]).toEqual([1]);
  });

  test('tensors without a value', () => {
    const { tensors } = decode(file({ a: entry('F32', [0, 5], 0, 0), b: entry('U8', [1], 0, 1) }, Buffer.of(9)));
    expect(tensors['a']!.data.length).toBe(0);
  });

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('a tensor called %s, which is a tensor and no more', (key) => {
    const header = `{"${key}":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`;
    const { tensors } = decode(file(header, Buffer.of(5)));
    expect(Object.keys(tensors)).toEqual([key]);
    expect([...tensors[key]!.data]).toEqual([5]);
    expect(({} as Record<string, unknown>)['dtype']).toBeUndefined();
  });

  test('no tensor is there that the file does not have', () => {
    const { tensors } = decode(file('{}'));
    for (const key of ['constructor', '__proto__', 'toString']) expect(tensors[key]).toBeUndefined();
  });
});

describe('refused:', () => {
  const one = { a: entry('F32', [1], 0, 4) };
  const four = Buffer.alloc(4);
  const huge = 2 ** 53 - 1;
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

  const refusals: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(), /found 0 bytes/],
    ['less than a length', Buffer.alloc(7), /found 7 bytes/],
    ['a header longer than the file', file(one, four, 1000n), /whose header has at most \d+ bytes, found one that claims 1000/],
    ['a header longer than any number', file(one, four, 2n ** 64n - 1n), /found one that claims 18446744073709551615/],
    ['a length with its sign bit set', file(one, four, 2n ** 63n), /found one that claims 9223372036854775808/],
    ['a header cut short', file(one, four, 20n), /header in JSON/],
    ['a header of no length', file(one, four, 0n), /starts with \{/],
    ['a header that takes in tensors', file(one, four, BigInt(JSON.stringify(one).length + 4)), /header in JSON/],
    ['a header that starts with a space', file(' {}'), /starts with \{/],
    ['a header that starts with a byte-order mark', file('\ufeff{}'), /starts with \{/],
    ['a header that is a list', file('[]'), /starts with \{/],
    ['a header that is not JSON', file('{"a":'), /header in JSON/],
    ['a header with something behind it', file('{}{}'), /header in JSON/],
    ['a header that is not UTF-8', file(Buffer.from('{"\xff":1}', 'latin1')), /UTF-8/],
    [
      'a tensor twice',
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        Buffer.of(1),
      ),
      /each key once, found "a" twice/,
    ],
    [
      'a tensor twice, once in other letters',
      file(
        '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        Buffer.of(1),
      ),
      /"a" twice/,
    ],
    ['metadata twice', file('{"__metadata__":{},"__metadata__":{"a":"b"}}'), /"__metadata__" twice/],
    ['a word of the metadata twice', file('{"__metadata__":{"format":"a","format":"b"}}'), /"format" twice/],
    ['a field of a tensor twice', file('{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /"dtype" twice/],
    ['metadata with a number', file({ __metadata__: { a: 1 } }), /__metadata__ to map text to text/],
    ['metadata with an object', file({ __metadata__: { a: {} } }), /__metadata__ to map text to text/],
    ['metadata that is a list', file({ __metadata__: ['a'] }), /__metadata__ to map text to text/],
    ['metadata that is null', file({ __metadata__: null }), /__metadata__ to map text to text/],
    ['a tensor that is null', file({ a: null }), /a: expected a tensor, found null/],
    ['a tensor that is a list', file({ a: [] }), /a: expected a tensor, found \[\]/],
    [
      'a type of another kind',
      file({ a: entry('F16', [1], 0, 2) }, four.subarray(2)),
      /a: expected a type of F64, F32, U8, I32, found "F16"/,
    ],
    ['a type called like what every object has', file({ a: entry('constructor', [1], 0, 4) }, four), /expected a type/],
    ['a type that is a number', file({ a: { dtype: 4, shape: [1], data_offsets: [0, 4] } }, four), /expected a type .* found 4/],
    ['no type', file({ a: { shape: [1], data_offsets: [0, 4] } }, four), /expected a type/],
    ['no shape', file({ a: { dtype: 'F32', data_offsets: [0, 4] } }, four), /expected a shape/],
    ['a shape with a negative number', file({ a: entry('F32', [-1], 0, 4) }, four), /expected a shape of whole numbers/],
    ['a shape with a fraction', file({ a: entry('F32', [0.5, 2], 0, 4) }, four), /expected a shape of whole numbers/],
    ['a shape with text', file({ a: entry('F32', ['1'], 0, 4) }, four), /expected a shape of whole numbers/],
    ['a shape that is a number', file({ a: entry('F32', 1, 0, 4) }, four), /expected a shape of whole numbers/],
    ['a shape beyond whole numbers', file({ a: entry('F32', [2 ** 60], 0, 4) }, four), /expected a shape of whole numbers/],
    ['a shape whose product is too large', file({ a: entry('F32', [huge, huge], 0, 4) }, four), /a shape that fits/],
    ['a shape whose product is too large before it is 0', file({ a: entry('F32', [huge, huge, 0], 0, 0) }), /a shape that fits/],
    ['a shape for more bytes', file({ a: entry('F32', [2], 0, 4) }, four), /a: expected 8 bytes for its shape, found 4/],
    ['a shape for fewer bytes', file({ a: entry('U8', [3], 0, 4) }, four), /a: expected 3 bytes for its shape, found 4/],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, four), /expected data_offsets \[start, end\]/],
    ['three offsets', file({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, four), /expected data_offsets/],
    ['a negative offset', file({ a: entry('F32', [1], -4, 0) }, four), /expected data_offsets/],
    ['an end before the start', file({ a: entry('F32', [1], 4, 0) }, four), /expected bytes within 0 to 4, found 4 to 0/],
    ['an end beyond the file', file({ a: entry('F32', [2], 0, 8) }, four), /expected bytes within 0 to 4, found 0 to 8/],
    [
      'tensors that overlap',
      file({ a: entry('U8', [3], 0, 3), b: entry('U8', [2], 2, 4) }, four),
      /b: .*start at 3, found 2: tensors overlap/,
    ],
    ['tensors of the same bytes', file({ a: entry('U8', [4], 0, 4), b: entry('U8', [4], 0, 4) }, four), /overlap/],
    ['a tensor without a value within another', file({ a: entry('U8', [4], 0, 4), b: entry('U8', [0], 2, 2) }, four), /overlap/],
    ['a hole before the first', file({ a: entry('U8', [3], 1, 4) }, four), /a: .*start at 0, found 1: .*leave a hole/],
    [
      'a hole between two',
      file({ a: entry('U8', [1], 0, 1), b: entry('U8', [2], 2, 4) }, four),
      /b: .*start at 1, found 2: .*leave a hole/,
    ],
    ['bytes behind the last', file(one, Buffer.alloc(5)), /expected 4 bytes of tensors, found 5/],
    ['a tensor nested too deep', file(`{"a":${deep}}`), /a: expected a tensor, found something nested too deep to show/],
    ['a type nested too deep', file(`{"a":{"dtype":${deep}}}`), /a: expected a type .*found something nested too deep to show/],
    [
      'a shape nested too deep',
      file(`{"a":{"dtype":"U8","shape":${deep}}}`),
      /expected a shape .*found something nested too deep/,
    ],
    ['a type of many letters', file({ a: { dtype: 'x'.repeat(100_000) } }), /found "x{56}…$/],
    [
      'a name that commands a terminal, which whoever shows it makes harmless',
      file({ '\u001b[2J': null }),
      /\[2J: expected a tensor/,
    ],
    ['bytes and no tensor', file('{}', four), /expected 0 bytes of tensors, found 4/],
  ];

  test.each(refusals)('%s', (_, bytes, message) => {
    let found: unknown;
    try {
      decode(bytes);
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(UserError);
    const { message: text, exitCode, hint } = found as UserError;
    expect(text).toMatch(message);
    expect(text).toMatch(/^x\.safetensors: /);
    expect(exitCode).toBe(4);
    expect(hint).toBeTruthy();
  });

  test('a header of many keys, in good time', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, entry('U8', [0], 0, 0)]));
    const text = JSON.stringify(many).replace(/\}$/, ',"t0":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}');
    const started = performance.now();
    expect(() => decode(file(text))).toThrow(/"t0" twice/);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('a single word of metadata may be long', () => {
    const text = 'x\\"{'.repeat(2_000_000);
    expect(decode(file({ __metadata__: { text } })).metadata['text']).toBe(text);
  });

  test('any change to any byte of the header or length, or a file that is read', () => {
    const bytes = encodeTensors({
      metadata: { a: 'b' },
      tensors: { W: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }, b: { shape: [1], data: Float64Array.of(5) } },
    });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const broken = Uint8Array.from(bytes);
        broken[at]! ^= flip;
        try {
          for (const { shape, data } of Object.values(decode(broken).tensors)) {
            expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
          }
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
