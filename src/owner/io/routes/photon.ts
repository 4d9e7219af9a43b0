/** Payment channels: what lies in them, orders, payments, and who is connected. */
import type { PhotonPathsQuery } from '../../api.ts'
import type { Handler } from '../routes.ts'
import { NOTHING, flag, integer, object, oneOf, text } from '../../request-schema.ts'
import { id, numberOf, price, queryNumber } from '../fields.ts'
import { address } from './chain.ts'

type PhotonRoute =
  | 'photon' | 'clearPhotonAlarm' | 'wrapCoins' | 'unwrapCoins' | 'photonChannels' | 'photonChannel' | 'openChannel' | 'depositToChannel' | 'withdrawFromChannel' | 'closeChannel'
  | 'photonPayments' | 'photonPayment' | 'pay' | 'cancelPayment' | 'allowReveal' | 'photonDuties' | 'photonPaths' | 'photonWatching' | 'photonPeers' | 'addPhotonPeer'

const MAX_PAGE = 200
const MAX_CHANNELS = 1000
/** The contract's bounds. */
const SETTLE_BLOCKS = integer(6, 2_700_000)
const HASH_LENGTH = 66
const hash = text(HASH_LENGTH, HASH_LENGTH, /^0x[0-9a-fA-F]{64}$/, '0x and 64 hex digits')
/** Which tokens there are is checked where they are known. */
const token = text(1, 42, /^[\x21-\x7e]+$/, "a token's address or symbol")
const multiaddr = text(4, 256, /^\/[\x21-\x7e]+$/, 'an address such as /ip4/192.0.2.7/tcp/4011')
const data = text(0, 256)
const ID = object({ id: hash }, ['id'])
const AMOUNT = object({ amount: price }, ['amount'])
const idOf = (call: { readonly params: Readonly<Record<string, string>> }): string => call.params['id'] ?? ''

export const photonRoutes: { [N in PhotonRoute]: Handler<N> } = {
  photon: { schema: { query: NOTHING }, run: ({ photon }) => photon.status() },
  clearPhotonAlarm: { schema: { params: object({ id }, ['id']), query: NOTHING, body: NOTHING }, run: ({ photon }, call) => photon.clearAlarm(idOf(call)) },
  wrapCoins: { schema: { query: NOTHING, body: AMOUNT }, run: ({ photon }, { body }) => photon.wrap(body) },
  unwrapCoins: { schema: { query: NOTHING, body: AMOUNT }, run: ({ photon }, { body }) => photon.unwrap(body) },
  photonChannels: {
    schema: { query: object({ limit: queryNumber }) },
    run: ({ photon }, { query }) => {
      const limit = numberOf(query, 'limit', 1, MAX_CHANNELS)
      return photon.channels(limit === undefined ? {} : { limit })
    },
  },
  photonChannel: { schema: { params: ID, query: NOTHING }, run: ({ photon }, call) => photon.channel(idOf(call)) },
  openChannel: {
    schema: { query: NOTHING, body: object({ partner: address, token, amount: price, settleTimeoutBlocks: SETTLE_BLOCKS, role: oneOf('leaf', 'core') }, ['partner', 'amount']) },
    run: ({ photon }, { body }) => photon.open(body),
  },
  depositToChannel: { schema: { params: ID, query: NOTHING, body: AMOUNT }, run: ({ photon }, call) => photon.deposit(idOf(call), call.body) },
  withdrawFromChannel: { schema: { params: ID, query: NOTHING, body: AMOUNT }, run: ({ photon }, call) => photon.withdraw(idOf(call), call.body) },
  closeChannel: { schema: { params: ID, query: NOTHING, body: object({ force: flag }) }, run: ({ photon }, call) => photon.close(idOf(call), call.body) },
  photonPayments: {
    schema: { query: object({ before: queryNumber, limit: queryNumber }) },
    run: ({ photon }, { query }) => {
      const [before, limit] = [numberOf(query, 'before', 0, Number.MAX_SAFE_INTEGER), numberOf(query, 'limit', 1, MAX_PAGE)]
      return photon.payments({ ...(before === undefined ? {} : { before }), ...(limit === undefined ? {} : { limit }) })
    },
  },
  photonPayment: { schema: { params: ID, query: NOTHING }, run: ({ photon }, call) => photon.payment(idOf(call)) },
  pay: {
    schema: { query: NOTHING, body: object({ target: address, token, amount: price, direct: flag, maxFee: price, data, secretHash: hash }, ['target', 'amount']) },
    run: ({ photon }, { body }) => photon.pay(body),
  },
  cancelPayment: { schema: { params: ID, query: NOTHING, body: NOTHING }, run: ({ photon }, call) => photon.cancel(idOf(call)) },
  allowReveal: { schema: { params: ID, query: NOTHING, body: NOTHING }, run: ({ photon }, call) => photon.allowReveal(idOf(call)) },
  photonDuties: { schema: { query: NOTHING }, run: ({ photon }) => photon.duties() },
  photonPaths: {
    schema: { query: object({ target: address, token, amount: price }, ['target', 'amount']) },
    run: ({ photon }, { query }) => photon.paths(query as unknown as PhotonPathsQuery),
  },
  photonWatching: { schema: { query: NOTHING }, run: ({ photon }) => photon.watching() },
  photonPeers: { schema: { query: NOTHING }, run: ({ photon }) => photon.peers() },
  addPhotonPeer: { schema: { query: NOTHING, body: object({ account: address, address: multiaddr }, ['account', 'address']) }, run: ({ photon }, { body }) => photon.addPeer(body) },
}
