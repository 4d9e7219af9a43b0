import type { Log, Randomness } from '../../base/index.ts'
import type { VoucherKeyring } from '../types.ts'

export interface VoucherKeysOptions {
  readonly dataDir: string
  readonly randomness: Randomness
  readonly log: Log
}

export declare function openVoucherKeys(options: VoucherKeysOptions): Promise<VoucherKeyring>
