/**
 * Encryption of FRMPayload, and of FOpts in 1.1: XOR with AES of a row of blocks. LoRaWAN L2 1.0.4, 4.3.3; 1.1, 4.3.1.6 with the errata
 * on the counter's usage. Encrypting twice gives the clear bytes back.
 *
 *   A_i  0x01 | 0 0 0 | use 1 | Dir 1 | DevAddr 4 | FCnt 4 | 0 | i 1     i from 1; use is 0 for FRMPayload
 */
import { inputError } from '../../base/index.ts'
import type { DevAddr } from '../ports.ts'
import { BLOCK_BYTES, xorInto } from './aes.ts'
import type { AesKey } from './aes.ts'
import { MAX_FOPTS_BYTES, MAX_PHY_BYTES } from './frame.ts'
import type { Direction } from './frame.ts'
import { copyOf, writeLittle } from './octets.ts'

/** Which counter a 1.1 frame with FOpts was counted by. */
const FOPTS_USE = { up: 1, 'network-down': 1, 'application-down': 2 } as const

/** Port 0: key is NwkSKey (1.1: NwkSEncKey). Other ports: AppSKey. Errors: input beyond 255 bytes. */
export function cryptPayload(key: AesKey, direction: Direction, devAddr: DevAddr, fCnt32: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_PHY_BYTES) throw inputError('payload', `${bytes.length} bytes`, `at most ${MAX_PHY_BYTES} bytes`)
  return crypt(key, direction, devAddr, fCnt32, 0, bytes)
}

/** 1.1, with NwkSEncKey. Errors: input beyond 15 bytes. */
export function cryptFOpts(key: AesKey, counter: keyof typeof FOPTS_USE, devAddr: DevAddr, fCnt32: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_FOPTS_BYTES) throw inputError('fopts', `${bytes.length} bytes`, `at most ${MAX_FOPTS_BYTES} bytes`)
  return crypt(key, counter === 'up' ? 'up' : 'down', devAddr, fCnt32, FOPTS_USE[counter], bytes)
}

function crypt(key: AesKey, direction: Direction, devAddr: DevAddr, fCnt32: number, use: number, bytes: Uint8Array): Uint8Array {
  const out = copyOf(bytes)
  if (out.length === 0) return out
  const count = Math.ceil(bytes.length / BLOCK_BYTES)
  const blocks = new Uint8Array(count * BLOCK_BYTES)
  for (let i = 0; i < count; i++) {
    const at = i * BLOCK_BYTES
    blocks[at] = 0x01
    blocks[at + 4] = use
    blocks[at + 5] = direction === 'up' ? 0 : 1
    writeLittle(blocks, at + 6, 4, devAddr)
    writeLittle(blocks, at + 10, 4, fCnt32)
    blocks[at + 15] = i + 1
  }
  xorInto(out, 0, key.encryptBlocks(blocks))
  return out
}
