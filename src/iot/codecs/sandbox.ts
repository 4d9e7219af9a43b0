/**
 * What surrounds the owner's JavaScript: a context that knows nothing of Node, in a process of its own (io/codec-child.ts) that may not
 * open files or start anything, and whose memory the kernel bounds. A thread would not do: one large allocation beyond the limit
 * of a thread's heap ends the whole service (V8 aborts), and bytes behind typed arrays are not counted there at all.
 *
 * Nothing but text crosses the border of the context, both ways, so that no object of the outer realm can be reached from inside. The one
 * thing of the outer realm that the language itself hands in is the error of a refused `import()`: a codec that says `import`
 * anywhere is refused before it runs (the word cannot be written with escapes, and there is no eval).
 */
import { MeshBoxError, inputError } from '../../base/index.ts'

const MAX_SOURCE_BYTES = 64 * 1024

/** Errors: limit above 64 KiB; input for a source that imports. What the parser says comes from the child. */
export function checkSource(source: string): void {
  const bytes = Buffer.byteLength(source)
  if (bytes > MAX_SOURCE_BYTES) throw new MeshBoxError('limit', `a codec has at most ${MAX_SOURCE_BYTES} bytes; this one has ${bytes}`, { code: 'codec-too-long', field: 'source' })
  if (/\bimport\b/.test(source)) throw inputError('source', 'import', 'JavaScript without the word import, also in comments: a codec stands alone')
}

/** Errors: input `codec`. */
export function checkName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw inputError('codec', name, 'lower-case letters, digits and -, at most 32')
  return name
}
