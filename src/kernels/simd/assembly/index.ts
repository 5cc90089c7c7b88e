/** What the host calls. */
export { byteProducts, byteProductsScratch } from './bytes';
export { forwardBytes, forwardFloats, inputGradient, scratchBytes, weightsBytes, weightsFloats } from './layer';
