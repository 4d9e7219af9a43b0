/** What batman-adv knows, as one picture with history. docs/mesh.md */
export { createKernelReader } from './kernel-reader.ts'
export type { MeshReader } from './kernel-reader.ts'
export type { MeshReading } from './picture.ts'
export { MeshWatch } from './watch.ts'
export type { MeshWatchParts } from './watch.ts'
