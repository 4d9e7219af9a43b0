/**
 * Tribe's state, read-only, under the original's names (spec 3). Rounds are the ones this box has judged or
 * proved; lists of the POC and Anmap contracts are read from proved storage (layout: spec 2.10).
 */
import type { Address } from '../codec/fields.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import { isActive } from '../network/network.ts'
import { elementSlot, mapSlot, wordOf } from '../proof/account.ts'
import { hexOf } from '../codec/fields.ts'
import type { KnownHeader } from '../rules/verify-header.ts'
import type { Round } from '../rules/round.ts'
import { needBlock, readBlockTag } from './block-tag.ts'
import type { Asked, MethodTable } from './method.ts'
import type { Param } from './params.ts'
import type { RpcPorts } from './ports.ts'
import { quantity } from './quantity.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

const POC = { miners: 0n, normal: 1n, stopped: 3n, black: 5n, locked: 7n } as const
const ANMAP = { minersOfWallet: 0n, walletOfMiner: 1n } as const
const MAX_LISTED = 1024
/** Reads on their way at once. */
const READS_AT_ONCE = 16

export const TRIBE_METHODS: MethodTable = {
  tribe_getStatus: {
    maxParams: 1,
    run: async (asked, params) => {
      const block = at(asked, params.at(0))
      const round = await roundAt(asked.ports, block)
      return {
        number: quantity(block.header.number),
        hash: block.hash,
        signerList: round.signers,
        nextRoundList: round.next,
        leaderList: round.leaders,
        signerLimit: quantity(round.signers.length),
        volunteerLimit: quantity(round.volunteerLimit),
        epoch: quantity(round.epochBlocks),
        place: quantity((block.header.number + 1) % round.signers.length),
      }
    },
  },
  tribe_getSigners: {
    maxParams: 1,
    run: async (asked, params) => {
      const { signers, leaders } = await roundAt(asked.ports, at(asked, params.at(0)))
      return signers.map((address, place) => ({ place: quantity(place), address: address === ZERO_ADDRESS ? null : address, isLeader: leaders.includes(address) }))
    },
  },
  tribe_getVolunteers: { maxParams: 1, run: async (asked, params) => (await roundAt(asked.ports, at(asked, params.at(0)))).next },
  /** Who missed a slot and is kept out until the epoch ends. */
  tribe_getSinners: { maxParams: 1, run: (asked, params) => addressList(asked.ports, at(asked, params.at(0)), POC.black) },
  tribe_getMiner: {
    maxParams: 0,
    run: ({ ports }) => {
      const miner = ports.miner()
      return miner === null ? null : { address: miner.address, coinbase: miner.coinbase, isSealing: miner.isSealing }
    },
  },
  /** The wallet of a miner, or the miners of a wallet; null where neither is bound. */
  tribe_bindInfo: {
    maxParams: 2,
    run: async (asked, params) => {
      const address = params.at(0).address()
      const block = at(asked, params.at(1))
      const { anmap } = asked.ports.chain.network
      if (anmap === null || block.header.number < anmap.startBlock) return null
      const wallet = await readAddressAt(asked.ports, block, anmap.address, mapSlot(asked.ports.curve, ANMAP.walletOfMiner, address))
      if (wallet !== ZERO_ADDRESS) return { miner: address, wallet, miners: [address] }
      const miners = await readList(asked.ports, block, anmap.address, mapSlot(asked.ports.curve, ANMAP.minersOfWallet, address))
      return miners.length === 0 ? null : { miner: null, wallet: address, miners }
    },
  },
  /** Of one miner; without an address, who is in which list. */
  tribe_pocGetStatus: {
    maxParams: 2,
    run: async (asked, params) => {
      const miner = params.at(0).isAbsent ? null : params.at(0).address()
      const block = at(asked, params.at(1))
      const lists = {
        normal: await addressList(asked.ports, block, POC.normal),
        stopped: await addressList(asked.ports, block, POC.stopped),
        black: await addressList(asked.ports, block, POC.black),
        locked: await addressList(asked.ports, block, POC.locked),
      }
      if (miner === null) return lists
      const { state, chain, curve } = asked.ports
      const slot = mapSlot(curve, POC.miners, miner)
      const [amountWei, stopBlock] = [await state.storage(block.header, chain.network.poc, slot + 1n), await state.storage(block.header, chain.network.poc, slot + 2n)]
      const owner = await readAddressAt(asked.ports, block, chain.network.poc, slot)
      return {
        miner,
        owner: owner === ZERO_ADDRESS ? null : owner,
        amount: quantity(amountWei),
        stopBlock: quantity(stopBlock),
        lists: Object.entries(lists).flatMap(([name, list]) => (list.includes(miner) ? [name] : [])),
      }
    },
  },
}

const at = ({ ports }: Asked, param: Param): KnownHeader => needBlock(ports.curve, ports.chain, readBlockTag(param))

/** After `block`. Errors: RpcError -32000 before Tribe's contracts of version 1.0.0, -32002 where nobody has the nodes. */
async function roundAt(ports: RpcPorts, block: KnownHeader): Promise<Round> {
  const judged = ports.chain.block(block.hash)
  if (judged !== null) return judged.round
  if (!isActive(ports.chain.network, 'sip100', block.header.number + 1)) throw new RpcError(RPC_CODES.server, `block ${block.header.number} is before SIP100: there are no rounds of this kind`)
  const round = await ports.state.round(block.header)
  if (round === null) throw new RpcError(RPC_CODES.unavailable, `nobody has the state of block ${block.header.number} now`)
  return round
}

async function readAddressAt({ state }: RpcPorts, block: KnownHeader, contract: Address, slot: bigint): Promise<Address> {
  return hexOf(wordOf(await state.storage(block.header, contract, slot)).subarray(12))
}

function addressList(ports: RpcPorts, block: KnownHeader, slot: bigint): Promise<readonly Address[]> {
  return readList(ports, block, ports.chain.network.poc, slot)
}

/** An array of addresses. Errors: RpcError -32005 for one longer than anybody shows. */
async function readList(ports: RpcPorts, block: KnownHeader, contract: Address, slot: bigint): Promise<readonly Address[]> {
  const length = await ports.state.storage(block.header, contract, slot)
  if (length > BigInt(MAX_LISTED)) throw new RpcError(RPC_CODES.limit, `a list of ${length} addresses; at most ${MAX_LISTED} are shown`)
  const addresses: Address[] = []
  while (addresses.length < Number(length)) {
    const indexes = Array.from({ length: Math.min(READS_AT_ONCE, Number(length) - addresses.length) }, (_, index) => addresses.length + index)
    addresses.push(...(await Promise.all(indexes.map((index) => readAddressAt(ports, block, contract, elementSlot(ports.curve, slot, index))))))
  }
  return addresses
}
