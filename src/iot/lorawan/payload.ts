/**
 * Encryption of FRMPayload, and of FOpts in 1.1: XOR with AES of a row of blocks. LoRaWAN L2 1.0.4, 4.3.3; 1.1, 4.3.1.6 with the errata
 * on the counter's usage. Encrypting twice gives the clear bytes back.
 *
 *   A_i  0x01 | 0 0 0 | use 1 | Dir 1 | DevAddr 4 | FCnt 4 | 0 | i 1     i from 1; use is 0 for FRMPayload
 */
import { inputError } from '../../base/index.ts'
import type { DevAddr } from '../ports.ts'
import { BLOCK_BYTES } from './aes.ts'
import type { AesKey } from './aes.ts'
import { MAX_FOPTS_BYTES, MAX_PHY_BYTES } from './frame.ts'
import type { Direction } from './frame.ts'
import { copyOf } from './octets.ts'

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
  const second = (use << 24) | ((direction === 'up' ? 0 : 1) << 16) | turned16(devAddr)
  const third = (turned16(devAddr >>> 16) << 16) | turned16(fCnt32)
  const fourth = turned16(fCnt32 >>> 16) << 16
  for (let at = 0; at < out.length; at += BLOCK_BYTES) key.xorBlock(out, at, 0x01000000, second, third, fourth | (at / BLOCK_BYTES + 1))
  return out
}

/** The low 16 bits, least byte first. */
function turned16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff)
}
