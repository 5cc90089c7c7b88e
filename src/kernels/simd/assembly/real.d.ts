/** f32 or f64: asc compiles the kernels once with each (scripts/build-kernels.mjs). */
declare type real = f32;
