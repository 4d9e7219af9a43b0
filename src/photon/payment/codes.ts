/** The numbers of photon.md 6.3 that only payments use, and the channel's; they travel in AnnounceDisposed. */
import { CODE as CHANNEL_CODE } from '../channel/index.ts'

export const CODE = {
  ...CHANNEL_CODE,
  noPath: 1005,
  duplicateSecret: 1015,
  timeout: 1020,
  noFee: 1022,
} as const
