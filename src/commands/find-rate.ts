import { foundRateText } from '../report/train-plan.ts';
import type { FoundRate } from '../results/summary.ts';
import type { FitOptions } from '../training/fit.ts';
import { findRate, type RateFound } from '../training/rate-finder.ts';
import type { Context, Progress } from './command.ts';

/** Runs the learning-rate range test of `nn train --find-rate` and prints what it found; nothing is written. */
export async function printFoundRate(context: Context, options: FitOptions): Promise<void> {
  const { type: _, learningRates, ...found } = await follow(context, options);
  const set = learningRates === null ? null : `training.learningRate=${asSetting(learningRates)}`;
  const result: FoundRate = { ...found, set };
  context.print(context.json ? JSON.stringify(result) : foundRateText(result, context.style));
}

/** Listens to the search, and stops it when the user does. */
async function follow(context: Context, options: FitOptions): Promise<RateFound> {
  let current: { title: string; bar: Progress } | undefined;
  try {
    for await (const event of findRate(options)) {
      if (event.type === 'found') return event;
      const title = event.type === 'sweep' ? 'range test' : `rate ${event.rate}`;
      if (current?.title !== title) {
        current?.bar.stop();
        current = { title, bar: context.progress(title, event.total) };
      }
      current.bar.update(event.done);
      if (context.signal.aborted) throw context.signal.reason;
    }
  } finally {
    current?.bar.stop();
  }
  throw new Error('the search ended without a result');
}

/** One number where all layers learn at the same rate, else a list. */
function asSetting(rates: readonly number[]): string {
  return JSON.stringify(new Set(rates).size === 1 ? rates[0] : rates);
}
