import { setImmediate as nextTurn } from 'node:timers/promises';

/** Between two turns of the event loop. */
const turnMilliseconds = 100;

/** When a loop of short steps should let the event loop turn, so that Ctrl-C is heard. */
export interface Pace {
  /** whether it is time */
  isDue(): boolean;
  turn(): Promise<void>;
}

export function startYielding(): Pace {
  let turned = performance.now();
  return {
    isDue: () => performance.now() - turned > turnMilliseconds,
    turn: async () => {
      await nextTurn();
      turned = performance.now();
    },
  };
}
