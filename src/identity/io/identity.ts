import type { Log, Randomness } from '../../base/index.ts'
import type { Identity, Signer } from '../types.ts'

export interface IdentityOptions {
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
  readonly signer?: Signer
}

export declare function openIdentity(options: IdentityOptions): Promise<Identity>
export declare function restoreIdentity(options: Omit<IdentityOptions, 'randomness'> & { readonly words: string | readonly string[] }): Promise<Identity>
