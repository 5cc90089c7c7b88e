import { longestWindow, type Shuffle } from '../data/batches.ts';
import { imagesRead } from '../datasets/samples.ts';
import { UserError } from '../errors.ts';
import { pixelLimit } from '../kernels/simd/memory.ts';
import { machineMemory } from '../machine-memory.ts';
import { firstUnits, type Network } from '../nn/build.ts';
import type { Form } from '../nn/input/input-form.ts';
import { inferenceNumbers, numbersOfExample, patchesOf, scratchOf } from '../nn/network.ts';
import { byteText, byteTexts } from '../text.ts';
import { evaluatedTogether } from './fit.ts';
import { distinctExamples } from './probe.ts';
import type { Stage } from './stages.ts';

/** What a training takes of the machine's memory for one purpose. */
export interface MemoryNeed {
  /** for people, with its arithmetic */
  what: string;
  bytes: number;
  /** whether it lies in the memory of the kernels, which has an end of its own */
  inKernels: boolean;
}

export interface Sizes {
  network: Network;
  parameters: number;
  form: Form;
  /** of the train and dev parts, and of all three */
  train: number;
  dev: number;
  pictures: number;
  batch: number;
  /** of the optimizer's memory, for each parameter */
  slots: number;
  /** bytes of a number in the kernels' precision */
  bytesEach: number;
  /** bytes that reading pictures may take at a time; null where they are in memory */
  room: number | null;
  /** whether those of the train part are brought into memory all the same */
  brings: boolean;
  shuffle: Shuffle;
  /** whether the weights of the best epoch are kept */
  keepsBest: boolean;
  /** whether there is a moving average of the weights, and what it comes to beside it */
  averages: boolean;
  augments: boolean;
  /** whether the images of a batch are mixed */
  mixes: boolean;
  /** which epochs see smaller images, in room of their own */
  stages: readonly Stage[];
}

/** Node.js, its libraries and what they leave lying about. */
const nodeBytes = 150e6;
/** What WebAssembly can address, less what is lost between arrays. @see src/kernels/simd/memory.ts */
const kernelBytes = 2 ** 32 - 2 ** 26;
/** Copies of the parameters beside the optimizer's while a step is checked: of the probe, and before each of its steps (check-step.ts). */
const checkCopies = 4;
/** Arrays of patches that it has at a time. */
const checkArrays = 4;

/** What a training takes, at the moment when that is most: the one count for `--dry-run` and for refusing. */
export function memoryNeeds(sizes: Sizes): MemoryNeed[] {
  const { parameters, slots, bytesEach, keepsBest, averages } = sizes;
  const trained = trainedNumbers(sizes);
  const kept = 2 + Number(keepsBest);
  // a checkpoint is a copy of what goes on, and the one before may not be collected yet; the check of a step before training has
  // copies instead
  const saved = 2 * (kept + slots + Number(averages)) * trained.count * trained.bytesEach;
  const ofAverage = averages ? 2 : 0;
  const copiesOfCheck = (checkCopies + slots + Number(averages)) * parameters * trained.bytesEach;
  const copies = parameters * bytesEach + kept * trained.count * trained.bytesEach;
  return [
    { what: 'Node.js', bytes: nodeBytes, inKernels: false },
    ...pictureNeeds(sizes),
    {
      what: `${trained.count} parameters × ${2 + slots + ofAverage} (weights, gradient, ${slots} of the optimizer${averages ? `, ${ofAverage} of their average` : ''}) × ${trained.bytesEach} bytes`,
      bytes: (2 + slots + ofAverage) * trained.count * trained.bytesEach,
      inKernels: true,
    },
    ...(sizes.form === 'dual' ? [dualNeed(sizes)] : []),
    workspaceNeed(sizes, trained.bytesEach),
    ...sizes.stages.map(({ network, side }) => workspaceNeed({ ...sizes, network, side }, trained.bytesEach)),
    ...patchesNeed(sizes, trained.bytesEach),
    largerOf(
      {
        what: 'copies of the parameters (last good, best, checkpoint, step check)',
        bytes: Math.max(copies + saved, copiesOfCheck),
        inKernels: false,
      },
      checkNeed(sizes, copiesOfCheck),
    ),
  ];
}

/** The check of a step has made its last number when training begins. */
const largerOf = (a: MemoryNeed, b: MemoryNeed) => (b.bytes > a.bytes ? b : a);

/** What the check of a step makes again of patches: they, their gradient, its bounds, and sizes. */
function checkNeed({ network, batch }: Sizes, copies: number): MemoryNeed {
  const [examples, patches] = [Math.min(batch, distinctExamples(network)), patchesOf(network)];
  return {
    what: `the check of a step: ${examples} × ${patches} numbers of patches × ${checkArrays} × 8 bytes, and copies of the parameters`,
    bytes: examples * patches * checkArrays * 8 + copies,
    inKernels: false,
  };
}

export const sumOf = (needs: readonly MemoryNeed[]) => needs.reduce((sum, { bytes }) => sum + bytes, 0);

/** @param options.processes  that train such a thing at once
 *  @throws UserError (usage) with the arithmetic, where it is more than the machine has, before anything of it is taken */
export function refuseTooMuch(
  needs: readonly MemoryNeed[],
  { processes = 1, available = machineMemory() }: { processes?: number; available?: number } = {},
): void {
  const inKernels = needs.filter((need) => need.inKernels);
  if (sumOf(inKernels) > kernelBytes)
    throw tooMuch((room) => `a training within ${room}, which WebAssembly can address, found one that`, kernelBytes, inKernels);
  const machine = (room: string) => `${room} of memory, as this machine has`;
  if (processes === 1 && sumOf(needs) > available)
    throw tooMuch((room) => `a training within ${machine(room)}, found one that`, available, needs);
  if (processes * sumOf(needs) > available) {
    const expected = (room: string) => `${processes} trainings at once within ${machine(room)}, found that each`;
    throw tooMuch(expected, available, needs, 'Fewer --jobs take less. ');
  }
}

/** @param expected  up to what was found, which takes so much; given the room that there is */
function tooMuch(expected: (room: string) => string, room: number, needs: readonly MemoryNeed[], hint = ''): UserError {
  const sum = sumOf(needs);
  const [roomText, sumText] = byteTexts(room, sum);
  const terms = [...needs].sort((a, b) => b.bytes - a.bytes).filter(({ bytes }) => bytes >= sum / 100);
  const listed = terms.map(({ what, bytes }) => `  ${byteText(bytes).padStart(10)}  ${what}`);
  return new UserError('usage', [`expected ${expected(roomText)} takes ${sumText}:`, listed], {
    hint: `${hint}Smaller layers (model.layers), a smaller data.imageSize or training.batchSize take less; pictures beyond data.memory (MiB) stay on the disk.`,
  });
}

/** How many numbers the optimizer moves: in dual form a coefficient for each picture and unit takes the place of W1. */
function trainedNumbers({ network, parameters, form, train, bytesEach }: Sizes): { count: number; bytesEach: number } {
  if (form === 'direct') return { count: parameters, bytesEach };
  const units = firstUnits(network);
  return { count: parameters - units * network.inputs + units * (train + units), bytesEach: 8 };
}

function pictureNeeds(sizes: Sizes): MemoryNeed[] {
  const { network, form, room, brings, train, dev, pictures } = sizes;
  const n = network.inputs;
  const brought = form === 'dual' ? train + dev : brings ? train : 0;
  const isHeld = room === null || form === 'dual';
  return [
    room === null
      ? { what: `${pictures} pictures × ${n} bytes`, bytes: pictures * n, inKernels: false }
      : { what: 'pictures that are read', bytes: Math.max(form === 'dual' ? 0 : room, brought * n), inKernels: false },
    {
      what: 'pictures where the kernels read them',
      bytes: isHeld ? (form === 'dual' ? 0 : residentOf([train * n, dev * n])) : readBytes(sizes, room),
      inKernels: true,
    },
  ];
}

/** Bytes of images that are read while others are worked on. */
function readBytes({ network, brings, train, dev, batch, shuffle }: Sizes, budgetBytes: number): number {
  const features = network.inputs;
  const ofTrain = { batch, window: longestWindow(train, batch, shuffle) };
  const ofDev = { batch: Math.min(evaluatedTogether, batch, dev), window: evaluatedTogether };
  const held = brings ? residentOf([train * features]) : imagesRead(train, ofTrain, { budgetBytes, features }) * features;
  return held + (dev === 0 ? 0 : imagesRead(dev, ofDev, { budgetBytes, features }) * features);
}

/** Bytes of the parts that the kernels copy: one after the other, as long as there is room. */
function residentOf(parts: readonly number[]): number {
  return parts.reduce((sum, bytes) => (sum + bytes <= pixelLimit ? sum + bytes : sum), 0);
}

/** Inner products of pictures and first weights, float64, and what they are made from. */
function dualNeed({ network, train, dev }: Sizes): MemoryNeed {
  const units = firstUnits(network);
  const width = train + units;
  const numbers = width * (width + dev) + units * (2 * network.inputs + width + train + dev + units) + train * train;
  return {
    what: `inner products of ${width} × ${width + dev} pictures and weights, and their making`,
    bytes: 8 * numbers,
    inKernels: true,
  };
}

/** For each picture of a batch what ops give, their gradients, and what they keep; dev is evaluated in the same room. */
function workspaceNeed({ network, batch, augments, mixes, side }: Sizes & { side?: number }, bytesEach: number): MemoryNeed {
  const numbers = numbersOfExample(network);
  const imagesHeld = side === undefined ? Number(augments) + Number(mixes) : 1;
  const images = side === undefined ? 'pictures' : `pictures of side ${side}`;
  const held = imagesHeld === 0 ? '' : `, and ${imagesHeld} × ${network.inputs} bytes each`;
  return {
    what: `a batch of ${batch} ${images} × ${numbers} numbers × ${bytesEach} bytes${held}`,
    bytes: batch * (numbers * bytesEach + imagesHeld * network.inputs),
    inKernels: true,
  };
}

/** Room that convolutions take one after the other, whatever the batch: that of the largest; or all of them together, where the network answers for dev. */
function patchesNeed({ network, stages }: Sizes, bytesEach: number): MemoryNeed[] {
  const most = Math.max(inferenceNumbers(network), ...[network, ...stages.map((stage) => stage.network)].map(scratchOf));
  if (most === 0) return [];
  return [
    {
      what: `patches of a convolution, or filters, transformed: ${most} numbers × ${bytesEach} bytes`,
      bytes: most * bytesEach,
      inKernels: true,
    },
  ];
}
