import type { Log, Randomness } from '../../base/index.ts'
import type { OwnerPassword } from '../types.ts'

export interface OwnerPasswordOptions {
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
}

export declare function openOwnerPassword(options: OwnerPasswordOptions): Promise<OwnerPassword>
