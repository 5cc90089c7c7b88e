import { sigmoid, tanh } from '../elementary.ts';
import type { ActivationRule } from '../kernels/kernels.ts';
import type { OnnxNodes } from './onnx-nodes.ts';

/** g(z) and its derivative g′, which may be had from z or from a = g(z), whichever is cheaper. */
export interface Activation extends ActivationRule {
  summary: string;
  /** the initialiser that keeps the variance of what flows through */
  init: 'he' | 'xavier';
  /** whether g′ jumps at 0: differences across it say nothing of a derivative */
  nonDifferentiableAtZero: boolean;
  /** Adds it to a graph of ONNX. @param z  the name of what comes in, @returns that of what it gives */
  onnx(nodes: OnnxNodes, z: string, slope: number): string;
}

/** An operator of ONNX that is the activation. */
const operator = (name: string) => (nodes: OnnxNodes, z: string) => nodes.node(name, [z]);

const entries = {
  sigmoid: {
    name: 'sigmoid',
    summary: 'σ(z) = 1 / (1 + e^−z)',
    value: (z) => sigmoid(z),
    derivative: (_z, a) => a * (1 - a),
    init: 'xavier',
    nonDifferentiableAtZero: false,
    onnx: operator('Sigmoid'),
  },
  tanh: {
    name: 'tanh',
    summary: 'tanh z',
    value: (z) => tanh(z),
    derivative: (_z, a) => (1 - a) * (1 + a), // 1 − a², in a form that keeps its digits where a is near ±1
    init: 'xavier',
    nonDifferentiableAtZero: false,
    onnx: operator('Tanh'),
  },
  relu: {
    name: 'relu',
    summary: 'max(0, z)',
    value: (z) => (z > 0 ? z : 0),
    derivative: (z) => (z > 0 ? 1 : 0),
    init: 'he',
    nonDifferentiableAtZero: true,
    onnx: operator('Relu'),
  },
  leakyRelu: {
    name: 'leakyRelu',
    summary: 'max(slope · z, z)',
    value: (z, slope) => (z > 0 ? z : slope * z),
    derivative: (z, _a, slope) => (z > 0 ? 1 : slope),
    init: 'he',
    nonDifferentiableAtZero: true,
    onnx: (nodes, z, slope) => nodes.node('LeakyRelu', [z], { alpha: { float: slope } }),
  },
  linear: {
    name: 'linear',
    summary: 'z itself: layers of it add up to one, the demonstration of 2^l',
    value: (z) => z,
    derivative: () => 1,
    init: 'xavier',
    nonDifferentiableAtZero: false,
    onnx: (_, z) => z,
  },
} satisfies Record<string, Activation>;

export type ActivationName = keyof typeof entries;
/** Every activation of a hidden layer. The output layer's is sigmoid. */
export const activations: Record<ActivationName, Activation> = entries;
export const defaultSlope = 0.01;
