/** How the first layer is computed: from the pixels at every step, or from inner products of pictures that are made once. */
export const forms = {
  auto: { summary: 'whichever takes fewer multiplications' },
  direct: { summary: 'products with the pixels at every step' },
  dual: { summary: 'inner products of all training pictures, made once: the same algorithm, faster for few pictures' },
} as const;

export type FormName = keyof typeof forms;
/** A form that a training can have. */
export type Form = Exclude<FormName, 'auto'>;
