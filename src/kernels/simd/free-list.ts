/** A stretch of memory. */
export interface Block {
  address: number;
  bytes: number;
}

/** What is free of a memory: blocks in order of their addresses, no two of which touch. */
export interface FreeList {
  /** The first block that is large enough, cut to size; null where there is none. */
  take(bytes: number): Block | null;
  /** Takes a block back, or new memory in. */
  give(block: Block): void;
}

export function createFreeList({ start, end }: { start: number; end: number }): FreeList {
  const blocks: Block[] = [{ address: start, bytes: end - start }];
  return {
    take(bytes) {
      const at = blocks.findIndex((block) => block.bytes >= bytes);
      if (at < 0) return null;
      const { address, bytes: size } = blocks[at]!;
      if (size === bytes) blocks.splice(at, 1);
      else blocks[at] = { address: address + bytes, bytes: size - bytes };
      return { address, bytes };
    },
    give({ address, bytes }) {
      const after = blocks.findIndex((block) => block.address > address);
      const at = after < 0 ? blocks.length : after;
      const [before, next] = [blocks[at - 1], blocks[at]];
      const joinsBefore = before !== undefined && before.address + before.bytes === address;
      const joinsNext = next !== undefined && address + bytes === next.address;
      const first = joinsBefore ? before.address : address;
      const last = joinsNext ? next.address + next.bytes : address + bytes;
      const from = joinsBefore ? at - 1 : at;
      blocks.splice(from, Number(joinsBefore) + Number(joinsNext), { address: first, bytes: last - first });
    },
  };
}
