/** Random bytes that a seed names, so that a failure can be run again. AES-256-CTR of zeros. */
import { createCipheriv, createHash } from 'node:crypto'

export interface RandomStream {
  bytes(length: number): Uint8Array
  /** 0 to limit - 1; good enough for choices. */
  below(limit: number): number
  pick<T>(choices: readonly T[]): T
}

export function randomStream(seed: string): RandomStream {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  const bytes = (length: number): Uint8Array => Uint8Array.from(cipher.update(Buffer.alloc(length)))
  const below = (limit: number): number => new DataView(bytes(4).buffer).getUint32(0) % limit
  return { bytes, below, pick: (choices) => choices[below(choices.length)] as (typeof choices)[number] }
}
