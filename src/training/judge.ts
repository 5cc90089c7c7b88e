import { type Classifier, metricsOf } from '../classifier/classifier.ts';
import type { Config } from '../config/schema.ts';
import { type PartName, partNames } from '../data/split.ts';
import { type Bias, diagnose } from '../evaluation/diagnosis.ts';
import type { Metrics } from '../evaluation/metrics.ts';
import { kernelsFor } from '../kernels/select.ts';
import type { Parts } from './prepare.ts';
import { type Finding, type Remedy, remediesFor } from './remedies.ts';

/** The metrics of each part that there is. */
export async function judgeParts(classifier: Classifier, parts: Parts): Promise<Record<PartName, Metrics | null>> {
  const kernels = kernelsFor(classifier.precision);
  const measured: Record<PartName, Metrics | null> = { train: null, dev: null, test: null };
  for (const part of partNames) if (parts[part]) measured[part] = await metricsOf(classifier, kernels, parts[part]);
  return measured;
}

/** Bias and variance, from train and dev; from test where there is no dev; null where there is neither.
 *  @param training  the first layer's rate, and how it ended */
export function diagnoseParts(
  metrics: Record<PartName, Metrics | null>,
  config: Config,
  training: Pick<Finding, 'learningRate' | 'stopped'>,
): (Bias & { collapsed: boolean; targetError: number; comparedWith: 'dev' | 'test'; remedies: Remedy[] }) | null {
  const comparedWith = metrics.dev ? 'dev' : 'test';
  const [train, other] = [metrics.train, metrics[comparedWith]];
  if (!train || !other) return null;
  const score = ({ confusion: { tp, fp, fn, tn } }: Metrics) => ({ errors: fp + fn, total: tp + fp + fn + tn });
  const bias = diagnose(score(train), score(other), config.diagnosis);
  const { tp, fp, fn, tn } = train.confusion;
  const collapsed = tp + fp === 0 || fn + tn === 0;
  const remedies = remediesFor(config, { verdict: bias.verdict, collapsed, ...training, hasDev: metrics.dev !== null });
  return { ...bias, collapsed, targetError: config.diagnosis.targetError, comparedWith, remedies };
}
