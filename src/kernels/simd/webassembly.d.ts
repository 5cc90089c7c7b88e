/** What the kernels use of WebAssembly: neither es2023 nor the types of Node 20 declare it, and the dom library brings too much. */
declare namespace WebAssembly {
  class Memory {
    constructor(description: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    /** @returns the pages that there were */
    grow(pages: number): number;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  /** Whether this host can run a module. */
  function validate(bytes: Uint8Array): boolean;
  type Imports = Record<string, Record<string, unknown>>;
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, unknown>;
  }
}
