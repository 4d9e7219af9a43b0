/** Which sources have our block at head - 2: what makes a head more than one source's word (spec 6, peers). */
import type { Hash } from '../codec/fields.ts'
import type { ChainSource, ChainView } from '../ports.ts'
import type { KnownHeader } from '../rules/verify-header.ts'

const BEHIND_HEAD = 2
/** Most difficulty of a block. */
export const MAX_DIFFICULTY = 6n
/** How many blocks a source may be ahead of us and still be said to be with us. */
const MAX_AHEAD = 3n

/** The block that is compared; a shorter chain's first. */
export function comparedBlock(chain: ChainView): KnownHeader {
  const head = chain.head()
  return chain.headerAt(Math.max(0, head.header.number - BEHIND_HEAD)) ?? head
}

export class Agreement {
  /** What sources answered whose head we do not know, by id. */
  readonly #answers = new Map<string, { readonly about: Hash; readonly agrees: boolean }>()

  /** Null: not known, it has to be asked. */
  of(chain: ChainView, source: ChainSource): boolean | null {
    const head = source.head()
    if (head === null) return null
    const compared = comparedBlock(chain)
    const inTree = chain.block(head.hash)
    if (inTree !== null && inTree.header.number >= compared.header.number) return isOnPath(chain, inTree, compared)
    // Further back than that: it may have our block all the same, having it from us.
    if (head.totalDifficulty > chain.head().totalDifficulty + MAX_DIFFICULTY * MAX_AHEAD) return false
    const answer = this.#answers.get(source.id)
    return answer?.about === compared.hash ? answer.agrees : null
  }

  /** `theirs`: its block at the height of `about`. */
  answered(about: Hash, source: ChainSource, theirs: Hash | null): void {
    this.#answers.set(source.id, { about, agrees: theirs === about })
  }

  forget(source: ChainSource): void {
    this.#answers.delete(source.id)
  }
}

function isOnPath(chain: ChainView, head: KnownHeader, compared: KnownHeader): boolean {
  let at: KnownHeader | null = head
  while (at !== null && at.header.number > compared.header.number) at = chain.block(at.header.parentHash)
  return at?.hash === compared.hash
}
