/** What the node says of itself. */
import { quantity, dataText } from './quantity.ts'
import type { MethodTable } from './method.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

/** eth/63. */
const PROTOCOL = 63
const MAX_HASHED_BYTES = 32 * 1024

export const NODE_METHODS: MethodTable = {
  eth_chainId: { maxParams: 0, run: ({ ports }) => quantity(ports.chain.network.chainId) },
  /** The chain id, as wallets expect; the original answers the number of the eth/63 handshake, which mainnet shares with others. */
  net_version: { maxParams: 0, run: ({ ports }) => ports.chain.network.chainId.toString() },
  net_listening: { maxParams: 0, run: ({ ports }) => ports.status().sources.length > 0 },
  net_peerCount: { maxParams: 0, run: ({ ports }) => quantity(ports.status().sources.filter((source) => source.kind !== 'local').length) },
  web3_clientVersion: { maxParams: 0, run: ({ ports }) => `MeshBox/${ports.version}/${ports.chain.network.name}` },
  web3_sha3: { maxParams: 1, run: ({ ports }, params) => dataText(ports.curve.keccak256(params.at(0).data(MAX_HASHED_BYTES))) },
  eth_protocolVersion: { maxParams: 0, run: () => quantity(PROTOCOL) },
  eth_syncing: {
    maxParams: 0,
    run: ({ ports }) => {
      const status = ports.status()
      if (status.state !== 'syncing') return false
      const head = ports.chain.head().header.number
      const highest = Math.max(head, ...status.sources.map((source) => source.headNumber ?? 0))
      return { startingBlock: quantity(head), currentBlock: quantity(head), highestBlock: quantity(highest) }
    },
  },
  eth_blockNumber: { maxParams: 0, run: ({ ports }) => quantity(ports.chain.head().header.number) },
  eth_gasPrice: { maxParams: 0, run: ({ ports }) => quantity(ports.gasPriceWei()) },
  /** Keys stay with their people: the box signs nothing for a wallet. */
  eth_accounts: { maxParams: 0, run: () => [] },
  eth_mining: { maxParams: 0, run: ({ ports }) => ports.miner()?.isSealing ?? false },
  eth_coinbase: {
    maxParams: 0,
    run: ({ ports }) => {
      const miner = ports.miner()
      if (miner === null) throw new RpcError(RPC_CODES.server, 'this box does not seal blocks: it has no coinbase')
      return miner.coinbase
    },
  },
}
