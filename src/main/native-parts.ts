/** Which native parts of the bundle this box uses. What is missing or unusable is said once, and done without. */
import { existsSync } from 'node:fs'
import { MeshBoxError, type Log } from '../base/index.ts'
import { nobleSigner, signerOn, type Signer } from '../identity/index.ts'
import type { Netlink } from '../hotspot/gate/index.ts'
import { loadNfnetlink, loadSecp256k1 } from '../native/index.ts'

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

/**
 * Opens nf_tables for the gate, in this process's network namespace. Null: nfnetlink.node is not installed at `path`, and
 * the gate works through nft. What an addon that is there throws, the gate tells in its health.
 */
export function netlinkOpener(path: string): (() => Netlink) | null {
  if (!existsSync(path)) return null
  return () => {
    const door = loadNfnetlink(path)
    if (door === null) throw new MeshBoxError('unavailable', 'no nfnetlink addon', { code: 'addon-unusable' })
    return door.open()
  }
}
