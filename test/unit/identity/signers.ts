/** Both signers, by name: everything about keys and signatures is tested with each of them. */
import { nobleSigner, signerOn, type Signer } from '../../../src/identity/index.ts'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { builtAddon } from '../native/built-addon.ts'

export const SIGNERS: readonly (readonly [string, Signer])[] = [
  ['noble', nobleSigner],
  ['native', signerOn(loadSecp256k1(await builtAddon()))],
]
