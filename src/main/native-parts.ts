/** Which native parts of the bundle this box uses. What is missing or unusable is said once, and done without. */
import { existsSync } from 'node:fs'
import { MeshBoxError, type Log } from '../base/index.ts'
import { nobleSigner, signerOn, type Signer } from '../identity/index.ts'
import { loadSecp256k1 } from '../native/index.ts'

/** `path`: absolute path of secp256k1.node, there or not. */
export function openSigner(path: string, log: Log): Signer {
  if (!existsSync(path)) {
    log.warn('the native secp256k1 addon is not installed; signatures are computed in JavaScript, 20 times slower', { path })
    return nobleSigner
  }
  try {
    return signerOn(loadSecp256k1(path))
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.code !== 'addon-unusable') throw error
    log.warn(`${error.message}; signatures are computed in JavaScript, 20 times slower`)
    return nobleSigner
  }
}
