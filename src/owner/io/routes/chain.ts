/** The box's chain: where it stands, the owner's word after an alarm, a checkpoint to give away, the miner's deposit. */
import type { Handler } from '../routes.ts'
import { NOTHING, object, oneOf, text } from '../../request-schema.ts'

type ChainRoute = 'chain' | 'clearChainAlarm' | 'chainCheckpoint' | 'chainBranches' | 'adoptBranch' | 'chainWallet' | 'chainPoc' | 'orderPoc' | 'chainPocCalls'

const HASH_LENGTH = 66
const ADDRESS_LENGTH = 42
const hash = text(HASH_LENGTH, HASH_LENGTH, /^0x[0-9a-fA-F]{64}$/, '0x and 64 hex digits')
export const address = text(ADDRESS_LENGTH, ADDRESS_LENGTH, /^0x[0-9a-fA-F]{40}$/, '0x and 40 hex digits')

export const chainRoutes: { [N in ChainRoute]: Handler<N> } = {
  chain: { schema: { query: NOTHING }, run: (owner) => owner.chain() },
  clearChainAlarm: { schema: { query: NOTHING, body: NOTHING }, run: (owner) => owner.clearChainAlarm() },
  chainCheckpoint: { schema: { query: NOTHING }, run: (owner) => owner.chainCheckpoint() },
  chainBranches: { schema: { query: NOTHING }, run: (owner) => owner.chainBranches() },
  adoptBranch: { schema: { query: NOTHING, body: object({ hash }, ['hash']) }, run: (owner, { body }) => owner.adoptBranch(body.hash) },
  chainWallet: { schema: { query: NOTHING }, run: (owner) => owner.chainWallet() },
  chainPoc: { schema: { query: NOTHING }, run: (owner) => owner.chainPoc() },
  orderPoc: { schema: { query: NOTHING, body: object({ order: oneOf('deposit', 'start', 'stop', 'withdraw') }, ['order']) }, run: (owner, { body }) => owner.orderPoc(body.order) },
  chainPocCalls: { schema: { query: NOTHING, body: object({ wallet: address }, ['wallet']) }, run: (owner, { body }) => owner.chainPocCalls(body.wallet) },
}
