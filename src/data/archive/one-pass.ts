/** One file of a sequence: read or skipped before the next is asked for. */
export interface Passed<T> {
  index: number;
  read(): Promise<T>;
  skip(): Promise<void>;
}

/** Random access to what can only be read from its start: asked in rising order, also several at a time, it is passed once;
 *  for each step back it starts again.
 *  @param start  begins a pass; indices rise by one */
export function inOnePass<T>(start: () => AsyncGenerator<Passed<T>>): (index: number) => Promise<T> {
  const waiting = new Map<number, PromiseWithResolvers<T>>();
  let pass: AsyncGenerator<Passed<T>> | undefined;
  let next = 0;
  let isServing = false;
  const restart = async () => {
    await pass?.return(undefined);
    pass = start();
    next = 0;
  };
  const passOne = async () => {
    if (pass === undefined || Math.max(...waiting.keys()) < next) await restart();
    const { value, done } = await pass!.next();
    if (done) throw new Error('it ends before the file that was asked for');
    next = value.index + 1;
    const asked = waiting.get(value.index);
    if (asked === undefined) return value.skip();
    asked.resolve(await value.read());
    waiting.delete(value.index);
  };
  const serve = async () => {
    try {
      while (waiting.size > 0) await passOne();
    } catch (error) {
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
      pass = undefined;
    } finally {
      isServing = false; // in the same turn in which nobody waits: whoever asks next starts it again
    }
  };
  return (index) => {
    const known = waiting.get(index);
    if (known !== undefined) return known.promise;
    const asked = withResolvers<T>();
    waiting.set(index, asked);
    if (!isServing) {
      isServing = true;
      void serve();
    }
    return asked.promise;
  };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let [resolve, reject]: ((value: never) => void)[] = [];
  const promise = new Promise<T>((...both) => ([resolve, reject] = both));
  return { promise, resolve: resolve!, reject: reject! } as PromiseWithResolvers<T>;
}
