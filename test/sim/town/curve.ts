/** The curve of the town: the addon, which costs a few hundredths of what noble does. Nothing of it in threads: those end in another order each time, and a seed has to show the same run again. */
import type { Secp256k1 } from '../../../src/native/index.ts'
import { native } from '../../unit/spectrum/curves.ts'

export const curve: Secp256k1 = {
  ...native,
  signBatchInPool: async (...args) => native.signBatch(...args),
  verifyBatchInPool: async (...args) => native.verifyBatch(...args),
  recoverBatchInPool: async (...args) => native.recoverBatch(...args),
  recoverAddressBatchInPool: async (...args) => native.recoverAddressBatch(...args),
  recoverOneSignerBatchInPool: async (...args) => native.recoverOneSignerBatch(...args),
  keccak256BatchInPool: async (...args) => native.keccak256Batch(...args),
}
