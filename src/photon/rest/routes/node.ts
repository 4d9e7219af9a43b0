/** The node itself: who it is, what it has, whom it knows. */
import { inputError } from '../../../base/index.ts'
import { photonError } from '../api.ts'
import { checksumAddress } from '../checksum.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

const MAX_PEERS = 1000
/** UTC, `MM-DD|hh:mm:ss.mmm`. */
const clockText = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(/^\d{4}-(.*)T(.*)Z$/, '$1|$2')

export const NODE_ROUTES: readonly Route[] = [
  route('GET', 'address', (api) => checksumAddress(api.account)),
  route('GET', 'version', (api) => {
    const { version, commit, built } = api.build()
    return { go_version: '', git_commit: commit, build_date: built, version }
  }),
  route('GET', 'tokens', async (api) => orNull((await api.tokens()).map(checksumAddress))),
  route('GET', 'tokens/:token/partners', async (api, { path }) => {
    const token = path.at('token').address()
    if (!(await api.tokens()).includes(token)) throw photonError(3001, 'token not found', 'not-found')
    const channels = (await api.channels()).filter((channel) => channel.token === token)
    // `channles` is how the original spells it, and clients cut the text at its slashes.
    return orNull(channels.map((channel) => ({ partner_address: checksumAddress(channel.partner), channel: `api/1/channles/${channel.channel}` })))
  }),
  route('GET', 'balance', async (api) => balances(await api.balances(null))),
  route('GET', 'balance/:token', async (api, { path }) => balances(await api.balances(path.at('token').address()))),
  route('GET', 'switch/:mesh', async (api, { path }) => {
    await api.setOffline(path.at('mesh').oneOf(['true', 'false']) === 'true')
    return null
  }),
  route('POST', 'updatenodes', async (api, { body }) => {
    const peers = body.list(MAX_PEERS).map((peer) => ({ account: peer.at('address').address(), endpoint: peer.at('ip_port').text(), deviceType: peer.at('device_type').text() }))
    await api.setPeers(peers)
    return null
  }),
  route('GET', 'node-status/:address', async (api, { path }) => {
    const { deviceType, isOnline } = await api.peer(path.at('address').address())
    return { device_type: deviceType, is_online: isOnline }
  }),
  route('POST', 'transfer-smt/:address/:value', async (api, { path }) => {
    const value = path.at('value').amount()
    if (value === 0n) throw inputError('value', 0, '1 or more')
    await api.sendNative(path.at('address').address(), value)
    return null
  }),
  route('POST', 'prepare-update', async (api) => {
    await api.prepareUpdate()
    return null
  }),
  route('GET', 'stop', async (api) => {
    await api.stop()
    return null
  }),
  route('GET', 'debug/system-status', async (api) => {
    const [status, fees] = [await api.status(), await api.feeTable()]
    return {
      eth_rpc_endpoint: status.rpcEndpoint,
      eth_rpc_status: chainText(status.isChainConnected),
      node_address: checksumAddress(api.account),
      registry_address: checksumAddress(status.contract),
      token_to_token_network: Object.fromEntries(status.tokens.map((token) => [checksumAddress(token), checksumAddress(status.contract)])),
      block_number: status.block,
      last_block_number_time: clockText(status.blockSeconds),
      is_mobile_mode: false,
      network_type: status.networkType,
      fee_policy: { fee_constant: fees.account.constant, fee_percent: fees.account.divisor },
      channel_num: status.channels,
      transfers: { send_num: status.sent, receive_num: status.received, dealing_num: status.dealing },
    }
  }),
  route('GET', 'debug/ethstatus', async (api) => {
    const status = await api.status()
    return { xmpp_status: 'disconnected', eth_status: chainText(status.isChainConnected), last_block_time: clockText(status.blockSeconds) }
  }),
  route('GET', 'debug/balance/:token/:address', async (api, { path }) => api.chainBalance(path.at('address').address(), path.at('token').address())),
  route('GET', 'debug/ethbalance/:address', async (api, { path }) => api.chainBalance(path.at('address').address(), null)),
]

/** Go shows a list that was never filled as null. */
function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list
}

function balances(list: readonly { readonly token: `0x${string}`; readonly balance: bigint; readonly locked: bigint }[]): readonly object[] {
  return list.map((one) => ({ token_address: checksumAddress(one.token), balance: one.balance, locked_amount: one.locked }))
}

function chainText(isConnected: boolean): string {
  return isConnected ? 'connected' : 'disconnected'
}
