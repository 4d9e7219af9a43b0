/**
 * Session keys from root keys: AES of one block. LoRaWAN L2 1.0.4, 6.2.5; 1.1, 6.1.1.3 and 6.2.5. All fields little-endian.
 *
 *   1.0   type | JoinNonce 3 | NetID 3 | DevNonce 2 | 0 × 7      1 NwkSKey, 2 AppSKey, both under AppKey
 *   1.1   type | JoinNonce 3 | JoinEUI 8 | DevNonce 2 | 0 0      1 FNwkSIntKey, 3 SNwkSIntKey, 4 NwkSEncKey under NwkKey; 2 AppSKey under AppKey
 *   1.1   type | DevEUI 8 | 0 × 7                                6 JSIntKey, 5 JSEncKey, under NwkKey
 */
import type { Eui, SessionKeys } from '../ports.ts'
import { AesKey, BLOCK_BYTES } from './aes.ts'
import { checkUnsigned, writeEui, writeLittle } from './octets.ts'

export interface JoinNumbers {
  readonly joinNonce: number
  readonly netId: number
  readonly devNonce: number
}

/** 1.0: the three network keys are one. Errors: input. */
export function sessionKeys10(appKey: Uint8Array, join: JoinNumbers): SessionKeys {
  const root = new AesKey(appKey, 'app-key')
  const derive = (type: number): Uint8Array => {
    const block = new Uint8Array(BLOCK_BYTES)
    block[0] = type
    writeLittle(block, 1, 3, checkUnsigned(join.joinNonce, 24, 'join-nonce'))
    writeLittle(block, 4, 3, checkUnsigned(join.netId, 24, 'net-id'))
    writeLittle(block, 7, 2, checkUnsigned(join.devNonce, 16, 'dev-nonce'))
    return root.encryptBlocks(block)
  }
  const nwkSKey = derive(1)
  return { fNwkSIntKey: nwkSKey, sNwkSIntKey: nwkSKey, nwkSEncKey: nwkSKey, appSKey: derive(2) }
}

/** 1.1, when the join accept says OptNeg. Errors: input. */
export function sessionKeys11(nwkKey: Uint8Array, appKey: Uint8Array, join: Omit<JoinNumbers, 'netId'> & { readonly joinEui: Eui }): SessionKeys {
  const [network, application] = [new AesKey(nwkKey, 'nwk-key'), new AesKey(appKey, 'app-key')]
  const derive = (root: AesKey, type: number): Uint8Array => {
    const block = new Uint8Array(BLOCK_BYTES)
    block[0] = type
    writeLittle(block, 1, 3, checkUnsigned(join.joinNonce, 24, 'join-nonce'))
    writeEui(block, 4, join.joinEui, 'join-eui')
    writeLittle(block, 12, 2, checkUnsigned(join.devNonce, 16, 'dev-nonce'))
    return root.encryptBlocks(block)
  }
  return { fNwkSIntKey: derive(network, 1), sNwkSIntKey: derive(network, 3), nwkSEncKey: derive(network, 4), appSKey: derive(application, 2) }
}

/** 1.1: `int` for MICs of join accepts, `enc` for accepts that answer a rejoin. */
export function joinServerKeys(nwkKey: Uint8Array, devEui: Eui): { readonly int: Uint8Array; readonly enc: Uint8Array } {
  const root = new AesKey(nwkKey, 'nwk-key')
  const derive = (type: number): Uint8Array => {
    const block = new Uint8Array(BLOCK_BYTES)
    block[0] = type
    writeEui(block, 1, devEui, 'dev-eui')
    return root.encryptBlocks(block)
  }
  return { int: derive(6), enc: derive(5) }
}
