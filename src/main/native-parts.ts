/** Which native parts of the bundle this box uses. What is missing or unusable is said once, and done without. */
import { existsSync } from 'node:fs'
import { MeshBoxError, type Log } from '../base/index.ts'
import { nobleSigner, signerOn, type Signer } from '../identity/index.ts'
import type { Netlink } from '../hotspot/gate/index.ts'
import { loadNfnetlink, loadSecp256k1, loadUdp, type Nfnetlink, type OpenUdp, type Secp256k1 } from '../native/index.ts'

export interface OpenedCurve {
  readonly signer: Signer
  /** Of the chain: noble's where there is no other. */
  readonly curve: () => Secp256k1
  /** Of the addon in use; null: none is. */
  readonly path: string | null
}

/** `path`: absolute path of secp256k1.node, there or not. */
export function openCurve(path: string, log: Log): OpenedCurve {
  const inJavaScript: OpenedCurve = { signer: nobleSigner, curve: () => loadSecp256k1(null), path: null }
  if (!existsSync(path)) {
    log.warn('the native secp256k1 addon is not installed; signatures are computed in JavaScript, 20 times slower', { path })
    return inJavaScript
  }
  try {
    const curve = loadSecp256k1(path)
    return { signer: signerOn(curve), curve: () => curve, path }
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.code !== 'addon-unusable') throw error
    log.warn(`${error.message}; signatures are computed in JavaScript, 20 times slower`)
    return inJavaScript
  }
}

/**
 * Opens nf_tables for the gate, in this process's network namespace. Null: nfnetlink.node is not installed at `path`, and
 * the gate works through nft. What an addon that is there throws, the gate tells in its health.
 */
export function netlinkOpener(path: string): (() => Netlink & Nfnetlink) | null {
  if (!existsSync(path)) return null
  return () => {
    const door = loadNfnetlink(path)
    if (door === null) throw new MeshBoxError('unavailable', 'no nfnetlink addon', { code: 'addon-unusable' })
    return door.open()
  }
}

/** Null: udp.node is not installed at `path` or cannot be used, and datagrams come through node:dgram, which costs a frame some µs more. */
export function udpOpener(path: string, log: Log): OpenUdp | null {
  if (!existsSync(path)) return null
  try {
    return loadUdp(path)
  } catch (error) {
    if (!(error instanceof MeshBoxError) || error.code !== 'addon-unusable') throw error
    log.warn(`${error.message}; datagrams come through node:dgram`)
    return null
  }
}
