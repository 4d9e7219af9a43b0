/**
 * What each contract's constructor leaves in its storage, laid out by hand (Solidity's storage layout; slots in
 * the contracts' sources). So a genesis needs no EVM; a test runs the constructors in one and compares.
 */
import { inputError, utf8 } from '../../base/index.ts'
import type { Address, Keccak } from '../codec/fields.ts'
import { elementSlot, mapSlot } from '../proof/account.ts'

/** Slot → word, without zeros. */
export type Storage = ReadonlyMap<bigint, bigint>

export interface BaseStorage {
  readonly owner: Address
  readonly chief: Address
  readonly poc: Address
  readonly epochBlocks: number
  readonly signerLimit: number
  readonly leaders: readonly Address[]
}

export interface PocStorage {
  readonly base: Address
  readonly minDepositWei: bigint
  readonly withdrawWaitBlocks: number
  readonly halvingBlocks: number
  readonly miners: readonly Miner[]
}

/** A deposit: may be picked to seal. */
export interface Miner {
  /** Of the key that seals. */
  readonly miner: Address
  /** Who may stop, start and withdraw. */
  readonly owner: Address
  readonly depositWei: bigint
}

export interface TokenStorage {
  readonly name: string
  readonly symbol: string
  readonly decimals: number
  readonly supply: bigint
  /** Of all of it; null where there is none yet. */
  readonly holder: Address | null
}

const MAX_LEADERS = 5n
const VERSION = '1.0.0'
/** A longer string would not lie in its own slot. */
const MAX_STRING_BYTES = 31
const WORD_BITS = 256n

export function chiefStorage(keccak: Keccak, base: Address, leader: Address, signerLimit: number): Storage {
  return storage([
    [0n, stringWord('version', VERSION)],
    [1n, BigInt(base)],
    [2n, BigInt(signerLimit)],
    [elementSlot(keccak, 2n, 0), BigInt(leader)],
    [mapSlot(keccak, 5n, leader), 1n],
  ])
}

export function baseStorage(keccak: Keccak, base: BaseStorage): Storage {
  return storage([
    [0n, stringWord('version', VERSION)],
    [1n, BigInt(base.poc)],
    [2n, BigInt(base.owner)],
    [3n, BigInt(base.chief)],
    ...addresses(keccak, 4n, base.leaders),
    [5n, MAX_LEADERS],
    [6n, BigInt(base.signerLimit)],
    [7n, BigInt(base.epochBlocks)],
    [8n, BigInt(base.signerLimit - 1)],
  ])
}

/** After the constructor, every miner has deposited, in this order. */
export function pocStorage(keccak: Keccak, poc: PocStorage): Storage {
  const deposits = poc.miners.flatMap(({ miner, owner, depositWei }, place): Word[] => {
    const at = mapSlot(keccak, 0n, miner)
    return [[at, BigInt(owner)], [at + 1n, depositWei], [mapSlot(keccak, 2n, miner), BigInt(place)]]
  })
  return storage([
    ...deposits,
    ...addresses(keccak, 1n, poc.miners.map((one) => one.miner)),
    ...addresses(keccak, 9n, [poc.base]),
    [10n, poc.minDepositWei],
    [12n, BigInt(poc.halvingBlocks)],
    [13n, BigInt(poc.withdrawWaitBlocks)],
  ])
}

/** Errors: input `token.name`, `token.symbol`: too long. */
export function tokenStorage(keccak: Keccak, token: TokenStorage): Storage {
  const holding: Word[] = token.holder === null ? [] : [[mapSlot(keccak, 4n, token.holder), token.supply]]
  return storage([[0n, stringWord('token.name', token.name)], [1n, stringWord('token.symbol', token.symbol)], [2n, BigInt(token.decimals)], [3n, token.supply], ...holding])
}

/** The text in a slot, where it is a short string of printable ASCII: it is shown to people. Else null. */
export function stringOf(word: bigint): string | null {
  const length = Number(word & 0xffn) / 2
  if (!Number.isInteger(length) || length > MAX_STRING_BYTES) return null
  const codes = Array.from({ length }, (_, index) => Number((word >> (WORD_BITS - 8n * BigInt(index + 1))) & 0xffn))
  return codes.every((code) => code >= 0x20 && code <= 0x7e) ? String.fromCharCode(...codes) : null
}

type Word = readonly [slot: bigint, word: bigint]

function storage(words: readonly Word[]): Storage {
  return new Map(words.filter(([, word]) => word !== 0n))
}

function addresses(keccak: Keccak, slot: bigint, list: readonly Address[]): readonly Word[] {
  return [[slot, BigInt(list.length)], ...list.map((address, index): Word => [elementSlot(keccak, slot, index), BigInt(address)])]
}

/** A string of up to 31 bytes lies in its slot: the bytes on the left, twice their number on the right. */
function stringWord(field: string, text: string): bigint {
  const bytes = utf8(text)
  if (bytes.length > MAX_STRING_BYTES) throw inputError(field, text, `at most ${MAX_STRING_BYTES} bytes`)
  return bytes.reduce((word, byte, index) => word | (BigInt(byte) << (WORD_BITS - 8n * BigInt(index + 1))), BigInt(2 * bytes.length))
}
