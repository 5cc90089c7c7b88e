import { channels } from '../../data/image.ts';
import { UserError } from '../../errors.ts';
import { damaged } from '../description.ts';
import { names } from './graph.ts';

/** The packages that run a file of ONNX, the quicker one first: none is a dependency of nn. They have the same interface. */
const runtimes = ['onnxruntime-node', 'onnxruntime-web'] as const;
type Runtime = typeof import('onnxruntime-web');

/** The answers of a file of ONNX.
 *  @param pixels  (m, side · side · 3)
 *  @throws UserError (usage) where no runtime is installed; UserError (model) where the file can't be run */
export async function runModel(
  bytes: Uint8Array,
  { pixels, side, file }: { pixels: Uint8Array; side: number; file: string },
): Promise<{ p: ArrayLike<number>; logit: ArrayLike<number> }> {
  const { InferenceSession, Tensor, env } = await loadRuntime(file);
  env.wasm.numThreads = 1; // onnxruntime-web's threads would keep the process alive
  try {
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
    try {
      const count = pixels.length / (side * side * channels);
      const images = new Tensor('uint8', pixels, [count, side, side, channels]);
      const answers = await session.run({ [names.images]: images });
      const [p, logit] = [answers[names.p]?.data, answers[names.logit]?.data];
      if (!(p instanceof Float32Array && logit instanceof Float32Array && p.length === count && logit.length === count))
        throw new Error(`expected ${names.p} and ${names.logit} of ${count} pictures`);
      return { p, logit };
    } finally {
      await session.release();
    }
  } catch (error) {
    throw damaged(file, `expected a model that onnxruntime runs, found one that it refuses: ${(error as Error).message}`, error);
  }
}

/** @throws UserError (usage) where none can be loaded */
async function loadRuntime(file: string): Promise<Runtime> {
  const reasons: string[] = [];
  for (const name of runtimes) {
    try {
      return (await import(name)) as Runtime;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // one that was built for other systems leaves the work to the next
      if (code !== 'ERR_MODULE_NOT_FOUND') reasons.push(`, ${name} can't be loaded: ${message.split('\n')[0]}`);
    }
  }
  throw new UserError('usage', `${file}: expected ${runtimes.join(' or ')} to run it, found neither${reasons.join('')}`, {
    hint: `Install it where nn is: npm install --global ${runtimes[1]}`,
  });
}
