/**
 * What this box asks for carrying a payment: as the configuration says, and above that what programs have set by the original's
 * `fee_policy` (photon.md 4.1): a channel's own above its token's, above the account's.
 */
import { inputError } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import type { FeePolicy } from '../ports.ts'
import { checkFeePolicy } from '../route/index.ts'
import type { Store } from '../../store/index.ts'
import { dropNote, putNote, readNote } from './note-table.ts'

/** `divisor`: the fee is amount ÷ divisor; 0: none. */
export interface FeeSetting {
  readonly constant: bigint
  readonly divisor: bigint
}

export interface FeeSettings {
  /** Null: as the configuration says. */
  readonly account: FeeSetting | null
  readonly tokens: ReadonlyMap<Address, FeeSetting>
  readonly channels: ReadonlyMap<Hash, FeeSetting>
}

const NOTE = 'fees'
const PPM = 1_000_000n
const MAX_ENTRIES = 256
const NO_SETTINGS: FeeSettings = { account: null, tokens: new Map(), channels: new Map() }

export class FeeBoard {
  readonly #store: Store
  readonly #config: Omit<FeePolicy, 'validFromSeconds'>
  #settings: FeeSettings

  constructor(store: Store, config: Omit<FeePolicy, 'validFromSeconds'>) {
    this.#store = store
    this.#config = config
    const note = store.read((tx) => readNote(tx, NOTE))
    this.#settings = note === null ? NO_SETTINGS : parsed(note)
  }

  get settings(): FeeSettings {
    return this.#settings
  }

  /** In a channel of that token. */
  policyOf(channel: Hash, token: Address): FeePolicy {
    const set = this.#settings.channels.get(channel) ?? this.#settings.tokens.get(token) ?? this.#settings.account
    return set === null ? { ...this.#config, validFromSeconds: 0 } : policyFrom(set)
  }

  /** Resolves when it is on disk. Errors: input, naming what may not be so. */
  async set(settings: FeeSettings): Promise<void> {
    const { account, tokens, channels } = settings
    if (tokens.size + channels.size > MAX_ENTRIES) throw inputError('channel_fee_map', tokens.size + channels.size, `at most ${MAX_ENTRIES} tokens and channels together`)
    for (const one of [...(account === null ? [] : [account]), ...tokens.values(), ...channels.values()]) checkSetting(one)
    const isNothing = account === null && tokens.size === 0 && channels.size === 0
    await this.#store.turn((tx) => (isNothing ? dropNote(tx, NOTE) : putNote(tx, NOTE, written(settings))))
    this.#settings = settings
  }
}

/** A policy has millionths: one that asks for less than the divisor says, by rounding, is never refused by who reckons with the divisor. */
function policyFrom({ constant, divisor }: FeeSetting): FeePolicy {
  return { constant, ppm: divisor === 0n ? 0 : Number(PPM / divisor), curve: [0, 0, 0, 0, 0], validFromSeconds: 0 }
}

function checkSetting(one: FeeSetting): void {
  if (one.divisor < 0n || one.divisor > PPM) throw inputError('fee_percent', one.divisor, `0 to ${PPM}: the amount is divided by it; 0 for none`)
  checkFeePolicy(policyFrom(one))
}

function written({ account, tokens, channels }: FeeSettings): string {
  const pair = ({ constant, divisor }: FeeSetting): readonly string[] => [String(constant), String(divisor)]
  const map = (settings: ReadonlyMap<string, FeeSetting>): object => Object.fromEntries([...settings].map(([key, one]) => [key, pair(one)]))
  return JSON.stringify({ account: account === null ? null : pair(account), tokens: map(tokens), channels: map(channels) })
}

/** Written by `written` alone. */
function parsed(note: string): FeeSettings {
  const { account, tokens, channels } = JSON.parse(note) as { account: readonly [string, string] | null; tokens: Record<string, readonly [string, string]>; channels: Record<string, readonly [string, string]> }
  const setting = ([constant, divisor]: readonly [string, string]): FeeSetting => ({ constant: BigInt(constant), divisor: BigInt(divisor) })
  const map = <K extends Address | Hash>(from: Record<string, readonly [string, string]>): ReadonlyMap<K, FeeSetting> => new Map(Object.entries(from).map(([key, one]) => [key as K, setting(one)]))
  return { account: account === null ? null : setting(account), tokens: map<Address>(tokens), channels: map<Hash>(channels) }
}
