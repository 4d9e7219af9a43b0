/** Both backends of the curve: the addon, built from this tree first if it is not up to date, and noble. */
import { loadSecp256k1 } from '../../../src/native/index.ts'
import type { Secp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from '../native/built-addon.ts'

export const noble: Secp256k1 = loadSecp256k1(null)
export const native: Secp256k1 = loadSecp256k1(await builtAddon())
export const BOTH = [['native', native], ['noble', noble]] as const
