/** What is to be done: the host writes the fields in this order (job.ts beside this folder). Arrays are addresses. */
@unmanaged
export class Job {
  /** of an input map x = scale · byte, which is applied to sums; or what a vector is multiplied by */
  scale: f64;
  /** of an optimizer's step, with the λ/m of L2 */
  rate: f64;
  decay: f64;
  beta1: f64;
  beta2: f64;
  correction1: f64;
  correction2: f64;
  inside: f64;
  outside: f64;
  /** see runPiece in threads.ts */
  kind: i32;
  /** rows of bytes or of reals */
  input: usize;
  /** Int32: example i is row indices[i] of the bytes; or 0, and it is row i */
  indices: usize;
  features: i32;
  /** examples */
  count: i32;
  /** an input map's numbers, `features` each; or both 0 where it is `scale` */
  multiply: usize;
  add: usize;
  /** (units, features) */
  weights: usize;
  /** `units` numbers, or 0 for none */
  bias: usize;
  units: i32;
  /** dZ, `count` rows of `units` */
  gradient: usize;
  out: usize;
  /** whether sums go on from what `out` holds; what else it asks for, kinds say */
  accumulate: i32;
  /** the part of the result that is wanted: examples or columns, see each kind */
  first: i32;
  end: i32;
  /** how much of it a thread takes at once */
  step: i32;
  /** moving averages of an optimizer, or 0 for none */
  velocity: usize;
  squares: usize;
  /** what a step tells of itself, and other results beside `out` */
  facts: usize;
  /** an activation or a loss: see elementwise.ts */
  rule: i32;
}
