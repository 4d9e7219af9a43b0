import { setFlagsFromString } from 'node:v8'

/**
 * From now on the collector frees no shapes of objects and no machine code merely because none of them is alive in the moment of a full collection.
 * `--optimize-for-size` (start-scripts.ts) asks for that, and saves memory in a box that idles; frames make the same short-lived objects all day, and after
 * each full collection V8 threw away a hundred compiled functions and compiled them anew. V8 looks at this flag whenever it collects or compiles, so that it
 * may change in a running process; the size of the young generation, set at the start, stays. benchmarks.md says what it is worth.
 */
export function keepCompiledFrames(): void {
  setFlagsFromString('--no-optimize-for-size')
}
