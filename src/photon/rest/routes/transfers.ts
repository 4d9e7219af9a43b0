/** Payments: sent, received, swapped, and the paths they take. */
import { inputError } from '../../../base/index.ts'
import type { Fields } from '../../wire/inspect/fields.ts'
import { photonError } from '../api.ts'
import type { BlockRange, RouteView } from '../api.ts'
import { checksumAddress } from '../checksum.ts'
import { addressOrNull, flagOr, hashOrNull, route, textOrNull } from '../route.ts'
import type { Asked, Route } from '../route.ts'
import { pendingReceipt, receivedTransfer, routeData, sentTransfer } from '../views.ts'

const MAX_ROUTES = 20
const MAX_HOPS = 20
const MAX_DATA_BYTES = 256
const CODE_TRANSFER_NOT_FOUND = 3004

export const TRANSFER_ROUTES: readonly Route[] = [
  // Before the route with the same form: a token is no word.
  route('POST', 'transfers/allowrevealsecret', async (api, { body }) => {
    await api.allowReveal(body.at('token_address').address(), body.at('lock_secret_hash').hash())
    return null
  }),
  route('POST', 'transfers/:token/:target', async (api, { path, body }) => {
    const [token, target] = [path.at('token').address(), path.at('target').address()]
    const amount = body.at('amount').amount()
    if (amount === 0n) throw photonError(1003, 'amount must be more than 0', 'input')
    const [secret, data] = [hashOrNull(body.at('secret')), textOrNull(body.at('data')) ?? '']
    if (Buffer.byteLength(data) > MAX_DATA_BYTES) throw inputError('data', `${Buffer.byteLength(data)} bytes`, `at most ${MAX_DATA_BYTES} bytes`)
    const [isDirect, isSync] = [flagOr(body.at('is_direct'), false), flagOr(body.at('sync'), false)]
    const lockSecretHash = await api.transfer({ token, target, amount, secret, isDirect, isSync, data, routes: routesOf(body.at('route_info')) })
    return {
      initiator_address: checksumAddress(api.account),
      target_address: checksumAddress(target),
      token_address: checksumAddress(token),
      amount,
      secret: secret ?? '',
      lockSecretHash,
      is_direct: isDirect,
      sync: isSync,
      data,
    }
  }),
  route('GET', 'transferstatus/:token/:lockSecretHash', async (api, { path }) => {
    const found = await api.sentTransfer(path.at('token').address(), path.at('lockSecretHash').hash())
    if (found === null) throw photonError(CODE_TRANSFER_NOT_FOUND, 'transfer not found', 'not-found')
    return sentTransfer(found)
  }),
  route('POST', 'transfercancel/:token/:lockSecretHash', async (api, { path }) => {
    await api.cancelTransfer(path.at('token').address(), path.at('lockSecretHash').hash())
    return null
  }),
  route('POST', 'registersecret', async (api, { body }) => {
    await api.registerSecret(body.at('token_address').address(), body.at('secret').hash())
    return null
  }),
  route('GET', 'getunfinishedreceivedtransfer/:token/:lockSecretHash', async (api, { path }) => {
    const found = await api.pendingReceipt(path.at('token').address(), path.at('lockSecretHash').hash())
    if (found === null) throw photonError(CODE_TRANSFER_NOT_FOUND, 'transfer not found', 'not-found')
    return pendingReceipt(found)
  }),
  route('GET', 'querysenttransfer', async (api, asked) => (await api.sentTransfers(rangeOf(asked))).map(sentTransfer)),
  route('GET', 'queryreceivedtransfer', async (api, asked) => (await api.receivedTransfers(rangeOf(asked))).map(receivedTransfer)),
  route('GET', 'secret', (api) => {
    const { secret, secretHash } = api.newSecret()
    return { lock_secret_hash: secretHash, secret }
  }),
  route('PUT', 'token_swaps/:target/:lockSecretHash', async (api, { path, body }) => {
    const role = body.at('role').oneOf(['maker', 'taker'])
    const secret = hashOrNull(body.at('secret'))
    if (role === 'maker' && secret === null) throw inputError('secret', 'nothing', 'the secret: the maker knows it')
    await api.swap({
      target: path.at('target').address(),
      secretHash: path.at('lockSecretHash').hash(),
      role,
      sendingAmount: body.at('sending_amount').amount(),
      sendingToken: body.at('sending_token').address(),
      receivingAmount: body.at('receiving_amount').amount(),
      receivingToken: body.at('receiving_token').address(),
      secret,
      routes: routesOf(body.at('route_info')),
    })
    return null
  }),
  route('GET', 'path/:target/:token/:amount', async (api, { path }) =>
    (await api.paths(path.at('token').address(), path.at('target').address(), path.at('amount').amount())).map(routeData),
  ),
]

function routesOf(from: Fields): readonly RouteView[] {
  if (from.isAbsent) return []
  return from.list(MAX_ROUTES).map((one) => ({ pathId: one.at('path_id').whole(), hops: one.at('result').list(MAX_HOPS).map((hop) => hop.address()), fee: one.at('fee').amount() }))
}

/** The original takes -1 for no bound. */
function rangeOf({ query }: Asked): BlockRange {
  const bound = (name: string): number | null => {
    const from = query.at(name)
    if (from.isAbsent || from.value === '') return null
    const block = from.whole()
    return block < 0 ? null : block
  }
  return { fromBlock: bound('from_block'), toBlock: bound('to_block'), token: addressOrNull(query.at('token_address')) }
}
