/** Lets this thread see the memory that another one has added; each thread is given it where it begins (threads.ts beside this folder). */
export declare function seeAllMemory(): void;
