// What a whole training needs of the library. run.mjs bundles it as scripts/bundle.mjs bundles the program, since that is what users load.
export { checkConfig } from '../../src/config/load.ts';
export { kernelsFor } from '../../src/kernels/select.ts';
export { fit } from '../../src/training/fit.ts';
export { fitOptions, planTraining } from '../../src/training/plan.ts';
