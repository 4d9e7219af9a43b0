/**
 * The virtual machine: @ethereumjs/evm at Byzantium, from SIP004 on at Petersburg with CHAINID and SELFBALANCE
 * (spec 1.3), every opcode counted as a step, and gas that a Meter can switch off. Code that starts with EF00 is
 * code like any other on this chain, so the library's exceptions for it are taken back.
 */
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { EVM, NobleBN254 } from '@ethereumjs/evm'
import type { EVMResult, Message } from '@ethereumjs/evm'
import { bigIntToAddressBytes, bytesToHex } from '@ethereumjs/util'
import { concatBytes } from '../../base/index.ts'
import type { Secp256k1 } from '../../native/index.ts'
import type { Address } from '../codec/fields.ts'
import { EMPTY_CODE_HASH } from '../proof/account.ts'
import { isActive } from '../network/network.ts'
import type { Network } from '../network/network.ts'
import { isUnmetered } from './meter.ts'
import type { Meter } from './meter.ts'
import type { World } from './world.ts'

/** Hash of an ancestor of the block that runs. Errors: unavailable. */
export type BlockHashOf = (number: number) => Promise<Uint8Array>

export interface MachineOptions {
  readonly network: Network
  readonly curve: Secp256k1
  readonly world: World
  readonly meter: Meter
  readonly number: number
  readonly blockHash: BlockHashOf
}

const CALLS = new Set([0xf1, 0xf2, 0xf4, 0xfa])
const CREATES = new Set([0xf0, 0xf5])
const SELFDESTRUCT = 0xff
/** Enough that no gas handler runs dry while gas is not counted. */
const PLENTY = 1n << 62n
/** What the library would do to code that starts with EF00. */
const EOF_OPCODES: Readonly<Record<number, 'size' | 'copy' | 'hash' | 'create' | 'create2'>> = { 0x3b: 'size', 0x3c: 'copy', 0x3f: 'hash', 0xf0: 'create', 0xf5: 'create2' }

type Entry = Machine['_opcodeMap'][number]
type RunState = Parameters<Entry['opHandler']>[0]
type Chain = Parameters<Entry['opHandler']>[1]

export class Machine extends EVM {
  readonly #network: Network
  readonly #meter: Meter
  readonly #world: World

  constructor(options: MachineOptions) {
    const { network, curve, world, number, blockHash } = options
    const isLater = isActive(network, 'sip004', number)
    super({
      common: new Common({ chain: { ...Mainnet, chainId: Number(network.chainId) }, hardfork: isLater ? Hardfork.Petersburg : Hardfork.Byzantium, customCrypto: cryptoOf(curve) }),
      stateManager: world,
      blockchain: { getBlock: async (asked) => blockHash(asked).then((hash) => ({ hash: () => hash })), putBlock: () => Promise.resolve(), shallowCopy: () => this.blockchain },
      bn254: new NobleBN254(),
      customOpcodes: isLater ? laterOpcodes(network.chainId) : [],
    })
    this.#network = network
    this.#meter = options.meter
    this.#world = world
    const seen = new Map<Entry, Entry>()
    this._opcodeMap = this._opcodeMap.map((entry, code) => {
      if (entry.opcodeInfo.isInvalid) {
        const known = seen.get(entry) ?? this.#metered(entry, code)
        seen.set(entry, known)
        return known
      }
      return this.#metered(entry, code)
    })
  }

  /** A call that starts sets the switch as the original does: not for precompiles, nor where nothing is called. */
  protected override async _executeCall(message: Parameters<EVM['_executeCall']>[0]): Promise<EVMResult> {
    const codeAt = message.codeAddress
    const isPlainCall = message.delegatecall !== true && codeAt.equals(message.to) && message.isStatic !== true
    const isPrecompile = this.precompiles.has(codeAt.toString().slice(2))
    if (!isPrecompile && !(isPlainCall && message.value === 0n && (await this.#world.account(message.to.toString())) === null))
      this.#meter.isOff = isUnmetered(this.#network, message.caller.toString(), message.to.toString())
    return super._executeCall(message)
  }

  protected override _executeCreate(message: Message): Promise<EVMResult> {
    this.#meter.isOff = false
    return super._executeCreate(message)
  }

  #metered(entry: Entry, code: number): Entry {
    const meter = this.#meter
    const { opcodeInfo, gasHandler } = entry
    const run = entry.opHandler as (state: RunState, common: Chain) => Promise<void> | void
    const special = EOF_OPCODES[code]
    const handler = special === undefined || opcodeInfo.isInvalid ? run : withoutEof(special, run)
    const fee = opcodeInfo.feeBigInt
    const info = {
      code: opcodeInfo.code,
      name: opcodeInfo.name,
      fullName: opcodeInfo.fullName,
      fee: opcodeInfo.fee,
      isAsync: opcodeInfo.isAsync,
      dynamicGas: opcodeInfo.dynamicGas,
      isInvalid: opcodeInfo.isInvalid,
      get feeBigInt(): bigint {
        return meter.isOff ? 0n : fee
      },
    }
    return {
      opcodeInfo: info,
      gasHandler: opcodeInfo.dynamicGas ? this.#meteredGas(code, gasHandler) : gasHandler,
      opHandler: this.#meteredStep(code, fee, handler),
    }
  }

  #meteredStep(code: number, fee: bigint, run: (state: RunState, common: Chain) => Promise<void> | void): Entry['opHandler'] {
    const meter = this.#meter
    if (CALLS.has(code))
      return (state, common) => {
        meter.step()
        if (meter.isOff) {
          meter.free(fee)
          // The caller is not charged for what it hands on, and is paid back what is left of it.
          state.gasLeft += state.messageGasLimit ?? 0n
        }
        return run(state, common)
      }
    if (code === SELFDESTRUCT)
      return async (state, common) => {
        meter.step()
        if (meter.isOff) meter.free(fee)
        const refund = state.gasRefund
        try {
          await run(state, common)
        } finally {
          if (meter.isOff) state.gasRefund = refund
        }
      }
    return (state, common) => {
      meter.step()
      if (meter.isOff) meter.free(fee)
      return run(state, common)
    }
  }

  /** Dynamic gas, which the handlers work out together with their checks and the memory they need. */
  #meteredGas(code: number, gasHandler: Entry['gasHandler']): Entry['gasHandler'] {
    const meter = this.#meter
    const isCall = CALLS.has(code)
    return async (state, gas, common) => {
      if (!meter.isOff) {
        const cost = await gasHandler(state, gas, common)
        if (isCall) meter.lastCallGas = state.messageGasLimit ?? 0n
        return cost
      }
      const { gasLeft, gasRefund, highestMemCost } = state
      state.gasLeft = PLENTY
      try {
        meter.free(await gasHandler(state, gas, common))
      } finally {
        state.gasLeft = gasLeft
        state.gasRefund = gasRefund
        state.highestMemCost = highestMemCost
      }
      if (isCall) state.messageGasLimit = meter.lastCallGas
      if (CREATES.has(code)) state.messageGasLimit = gasLeft - gasLeft / 64n
      return 0n
    }
  }
}

/** The opcode as it was before the library knew of EOF. */
function withoutEof(opcode: 'size' | 'copy' | 'hash' | 'create' | 'create2', run: (state: RunState, common: Chain) => Promise<void> | void): (state: RunState, common: Chain) => Promise<void> {
  return async (state, common) => {
    if (opcode === 'create' || opcode === 'create2') {
      const words = state.stack.peek(opcode === 'create' ? 3 : 4)
      const [value = 0n, offset = 0n, length = 0n, salt = 0n] = words
      const code = length === 0n ? new Uint8Array(0) : state.memory.read(Number(offset), Number(length))
      if (!startsAsEof(code)) return run(state, common)
      state.stack.popN(words.length)
      const gas = state.messageGasLimit ?? 0n
      delete state.messageGasLimit
      state.stack.push(await (opcode === 'create' ? state.interpreter.create(gas, value, code) : state.interpreter.create2(gas, value, code, wordBytes(salt))))
      return
    }
    const [addressWord = 0n, memoryAt = 0n, codeAt = 0n, length = 0n] = state.stack.peek(opcode === 'copy' ? 4 : 1)
    const address = state.interpreter.getAddress().constructor as new (bytes: Uint8Array) => ReturnType<typeof state.interpreter.getAddress>
    const at = new address(bigIntToAddressBytes(addressWord, false))
    const code = await state.stateManager.getCode(at)
    if (!startsAsEof(code)) return run(state, common)
    state.stack.popN(opcode === 'copy' ? 4 : 1)
    if (opcode === 'size') state.stack.push(BigInt(code.length))
    else if (opcode === 'hash') state.stack.push(BigInt(bytesToHex((await state.stateManager.getAccount(at))?.codeHash ?? new Uint8Array(32))))
    else if (length > 0n) {
      const part = new Uint8Array(Number(length))
      if (codeAt < BigInt(code.length)) part.set(code.subarray(Number(codeAt), Math.min(code.length, Number(codeAt + length))))
      state.memory.write(Number(memoryAt), part.length, part)
    }
  }
}

function startsAsEof(code: Uint8Array): boolean {
  return code[0] === 0xef && code[1] === 0
}

function wordBytes(word: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(word.toString(16).padStart(64, '0'), 'hex'))
}

function laterOpcodes(chainId: bigint): { opcode: number; opcodeName: string; baseFee: number; logicFunction: (state: RunState) => void }[] {
  return [
    { opcode: 0x46, opcodeName: 'CHAINID', baseFee: 2, logicFunction: (state) => state.stack.push(chainId) },
    { opcode: 0x47, opcodeName: 'SELFBALANCE', baseFee: 5, logicFunction: (state) => state.stack.push(state.env.contract.balance) },
  ]
}

/** keccak and the recovery of precompile 1 by the box's own curve. */
function cryptoOf(curve: Secp256k1): { keccak256: (message: Uint8Array) => Uint8Array; ecrecover: (digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array) => Uint8Array } {
  return {
    keccak256: (message) => curve.keccak256(message),
    ecrecover: (digest, v, r, s) => {
      // High s is a signature here: only transactions must have low s.
      const key = curve.recover(digest.slice(), concatBytes(r, s, Uint8Array.of(Number(v))), 'accept')
      if (key === null) throw new Error('nobody signed')
      return key.subarray(1)
    },
  }
}

/** Is there code to run at this address: a contract's or a precompile's? */
export async function runsCode(machine: Machine, world: World, address: Address): Promise<boolean> {
  if (machine.precompiles.has(address.slice(2))) return true
  const account = await world.account(address)
  return account !== null && bytesToHex(account.codeHash) !== EMPTY_CODE_HASH
}
