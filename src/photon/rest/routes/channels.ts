/** Channels: opening, money in and out, the end. */
import { inputError } from '../../../base/index.ts'
import { photonError } from '../api.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'
import { channelData, channelDetail } from '../views.ts'

const CODE_CHANNEL_NOT_FOUND = 3002

export const CHANNEL_ROUTES: readonly Route[] = [
  route('GET', 'channels', async (api) => (await api.channels()).map(channelData)),
  route('GET', 'channels/:id', async (api, { path }) => {
    const found = await api.channel(path.at('id').hash())
    if (found === null) throw photonError(CODE_CHANNEL_NOT_FOUND, 'channel not found', 'not-found')
    return channelDetail(found)
  }),
  route('PUT', 'deposit', async (api, { body }) => {
    const isNew = body.at('new_channel').flag()
    const settleTimeout = body.at('settle_timeout').isAbsent ? 0 : body.at('settle_timeout').whole()
    // Else a deposit could seem to change the timeout of a channel that somebody else has opened.
    if (!isNew && settleTimeout !== 0) throw inputError('settle_timeout', settleTimeout, '0 when new_channel is false')
    const order = { partner: body.at('partner_address').address(), token: body.at('token_address').address(), amount: body.at('balance').amount() }
    return channelData(await api.deposit({ ...order, settleTimeout: isNew ? settleTimeout : null }))
  }),
  route('PATCH', 'channels/:id', async (api, { path, body }) => {
    const id = path.at('id').hash()
    const state = body.at('state').oneOf(['closed', 'settled'])
    if (state === 'settled') return channelData(await api.settle(id))
    return channelData(await api.close(id, body.at('force').isAbsent ? false : body.at('force').flag()))
  }),
  route('PUT', 'withdraw/:id', async (api, { path, body }) => {
    const id = path.at('id').hash()
    const op = body.at('op').isAbsent || body.at('op').value === '' ? null : body.at('op').oneOf(['preparewithdraw', 'cancelprepare'])
    if (op === 'preparewithdraw') return channelData(await api.prepareWithdraw(id))
    if (op === 'cancelprepare') return channelData(await api.cancelPrepare(id))
    const amount = body.at('amount').amount()
    if (amount === 0n) throw photonError(1003, 'amount must be more than 0', 'input')
    return channelData(await api.withdraw(id, amount))
  }),
  // The original has the path and no code behind it: it crashes.
  route('PUT', 'settle/:id', () => {
    throw photonError(1, 'not offered: settle with PATCH channels/:id', 'input')
  }),
  route('GET', 'thirdparty/:id/:address', (api, { path }) => api.watchPayload(path.at('id').hash(), path.at('address').address())),
]
