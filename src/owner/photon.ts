/**
 * The owner's verbs on payment channels: the room's desk in the JSON of api/photon.ts, amounts in tokens. Decides nothing
 * about channels; what a desk refuses goes out as it is.
 */
import { MeshBoxError, formatAmount, inputError, parseAmount, utf8 } from '../base/index.ts'
import type { Address, Hash } from '../base/index.ts'
import type { ChannelView as DeskChannel, PhotonDesk, PhotonStatus } from '../photon/index.ts'
import type * as Json from './api/photon.ts'
import type { HealthLine } from './api/status.ts'
import { money } from './money.ts'
import { channelJson, dutyJson, paymentJson, unnamedToken } from './photon-views.ts'

/** Transactions are paid in the chain's own coin. */
const COIN = { symbol: 'SMT', decimals: 18 } as const
const DEFAULT_PAGE = 50
const DEFAULT_CHANNELS = 200
/** Of the amount, where the payer names no limit. */
const DEFAULT_FEE_PART = 100n
/** As long as the original takes it. */
const MAX_DATA_BYTES = 256
const ADDRESS = /^0x[0-9a-f]{40}$/

/** A token that the owner has named in the configuration. */
export interface PhotonToken {
  readonly address: Address
  readonly symbol: string
  readonly decimals: number
}

/** Payment channels as the owner's side is handed them. */
export interface PhotonPort {
  /** `photonOutOfOrder` where the room could not start. */
  readonly desk: PhotonDesk
  /** The one meant where none is named comes first. */
  readonly tokens: () => readonly PhotonToken[]
}

export class PhotonVerbs {
  readonly #port: PhotonPort | null

  constructor(port: PhotonPort | null) {
    this.#port = port
  }

  /** Is there anything to show? Also true while it is out of order. */
  get isOn(): boolean {
    return this.#port !== null
  }

  status(): Json.PhotonStatusJson {
    const { state, account, contract, chainId, head, gasWei, wrapped, original, channels, peers, listening, alarms, earned } = this.#desk.status()
    const tokens = this.#tokens()
    return {
      state,
      account,
      contract,
      chainId: chainId.toString(),
      head,
      gas: gasWei === null ? null : money(gasWei, COIN.decimals),
      gasToken: COIN,
      wrapped: wrapped === null ? null : { token: wrappedJson(wrapped.token, tokens), balance: wrapped.balance === null ? null : money(wrapped.balance, COIN.decimals) },
      original: original === null ? null : originalJson(original),
      channels,
      peers,
      listening: [...listening],
      alarms: alarms.map(({ id, code, text, atMs, isClearable }) => ({ id, code, text, atWallMs: atMs, isClearable })),
      earned: earned.map(({ token: address, fees, streams }) => {
        const token = tokens.get(address) ?? unnamedToken(address)
        return { token, fees: money(fees, token.decimals), streams: money(streams, token.decimals) }
      }),
      tokens: [...tokens.values()],
    }
  }

  /** Null where there is nothing to tell: no such role, or out of order. */
  statusOrNull(): Json.PhotonStatusJson | null {
    try {
      return this.#port === null ? null : this.status()
    } catch (thrown) {
      if (thrown instanceof MeshBoxError && thrown.kind === 'unavailable') return null
      throw thrown
    }
  }

  /** The owner has seen to it. Errors: not-found `photon-alarm`; conflict `photon-alarm-stands`; unavailable. */
  async clearAlarm(id: string): Promise<Json.PhotonStatusJson> {
    await this.#desk.clearAlarm(id)
    return this.status()
  }

  /** Coins of the account into tokens that channels can hold. Errors: input `amount`; conflict `photon-no-wrapped`, `photon-funds`; unavailable. */
  async wrap({ amount }: Json.PhotonWrapRequest): Promise<Json.PhotonStatusJson> {
    await this.#desk.wrap({ amount: someOf(amount, COIN) })
    return this.status()
  }

  async unwrap({ amount }: Json.PhotonWrapRequest): Promise<Json.PhotonStatusJson> {
    await this.#desk.unwrap({ amount: someOf(amount, COIN) })
    return this.status()
  }

  channels(query: Json.PhotonChannelsQuery = {}): Json.PhotonChannelsJson {
    const [tokens, all] = [this.#tokens(), this.#desk.channels()]
    const shown = [...all].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, query.limit ?? DEFAULT_CHANNELS)
    return { channels: shown.map((view) => channelJson(view, tokenOf(view, tokens))), total: all.length, head: this.#desk.status().head }
  }

  /** One line for the box's health; null on a box without channels. */
  health(): HealthLine | null {
    if (this.#port === null) return null
    const line = (level: HealthLine['level'], text: string, advice?: string): HealthLine => ({ part: 'channels', level, text, ...(advice === undefined ? {} : { advice }) })
    try {
      const { state, alarms } = this.#port.desk.status()
      const [alarm] = alarms
      if (alarm !== undefined) return line('bad', `Payment channels: ${alarm.text}`, 'Look at the page Channels, or `meshbox channel status`.')
      if (state === 'halted') return line('bad', 'Payment channels are halted', 'Look at the page Channels, or `meshbox channel status`.')
      if (state === 'offline') return line('warn', 'Payment channels see no chain', 'Payments to partners go on up to a limit. See the page Chain.')
      return line('ok', state === 'starting' ? 'Payment channels are starting' : 'Payment channels are ready')
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError) || thrown.kind === 'internal') throw thrown
      return line('bad', 'Payment channels could not be started', thrown.message)
    }
  }

  /** Errors: not-found `photon-channel`. */
  channel(id: string): Json.PhotonChannelJson {
    return this.#channelJson(this.#found(id))
  }

  async open(request: Json.PhotonOpenRequest): Promise<{ readonly channel: string }> {
    const token = this.#token(request.token)
    const amount = someOf(request.amount, token)
    const partner = addressOf(request.partner)
    if (partner === this.#desk.status().account) throw inputError('partner', request.partner, "another box's account, not this one's")
    return this.#desk.open({ partner, token: token.address as Address, amount, settleTimeout: request.settleTimeoutBlocks ?? null, role: request.role ?? 'leaf' })
  }

  deposit(id: string, request: Json.PhotonAmountRequest): Promise<Json.PhotonChannelJson> {
    return this.#change(id, (view) => this.#desk.deposit(view.id, someOf(request.amount, this.#tokenOf(view))))
  }

  withdraw(id: string, request: Json.PhotonAmountRequest): Promise<Json.PhotonChannelJson> {
    return this.#change(id, (view) => {
      const token = this.#tokenOf(view)
      const amount = someOf(request.amount, token)
      // In tokens, before the desk says it in smallest units.
      if (amount > view.own.spendable) throw inputError('amount', request.amount, `at most ${formatAmount(view.own.spendable, token.decimals)} ${token.symbol}: the rest is promised, or the partner's`)
      return this.#desk.withdraw(view.id, amount)
    })
  }

  close(id: string, request: Json.PhotonCloseRequest): Promise<Json.PhotonChannelJson> {
    return this.#change(id, (view) => this.#desk.close(view.id, request.force ?? false))
  }

  async pay(request: Json.PhotonPayRequest): Promise<Json.PhotonPayReply> {
    const token = this.#token(request.token)
    const amount = someOf(request.amount, token)
    const data = utf8(request.data ?? '')
    if (data.length > MAX_DATA_BYTES) throw inputError('data', `${data.length} bytes`, `at most ${MAX_DATA_BYTES} bytes`)
    const { id } = await this.#desk.pay({
      target: addressOf(request.target),
      token: token.address as Address,
      amount,
      isDirect: request.direct ?? false,
      maxFee: request.maxFee === undefined ? amount / DEFAULT_FEE_PART : parseAmount(request.maxFee, token.decimals, 'maxFee'),
      data,
      secretHash: request.secretHash === undefined ? null : hashOf(request.secretHash),
    })
    return { id, payment: this.#paymentOrNull(id) }
  }

  payments(query: Json.PhotonPaymentsQuery = {}): Json.PhotonPaymentsJson {
    const tokens = this.#tokens()
    const { rows, next } = this.#desk.payments({ before: query.before ?? null, limit: query.limit ?? DEFAULT_PAGE })
    return { payments: rows.map((row) => paymentJson(row, tokens.get(row.token) ?? unnamedToken(row.token))), next }
  }

  /** Errors: not-found `photon-payment`. */
  payment(id: string): Json.PhotonPaymentJson {
    const found = this.#paymentOrNull(hashOf(id))
    if (found === null) throw new MeshBoxError('not-found', `there is no payment ${id}`, { code: 'photon-payment', field: 'id', value: id })
    return found
  }

  async cancel(id: string): Promise<Json.PhotonPaymentJson> {
    const before = this.payment(id)
    await this.#desk.cancel(hashOf(id))
    return this.#paymentOrNull(hashOf(id)) ?? before
  }

  async allowReveal(id: string): Promise<Json.PhotonPaymentJson> {
    const before = this.payment(id)
    await this.#desk.allowReveal(hashOf(id))
    return this.#paymentOrNull(hashOf(id)) ?? before
  }

  duties(): Json.PhotonDutiesJson {
    const { head } = this.#desk.status()
    return { duties: this.#desk.duties().map((duty) => dutyJson(duty, head)), head }
  }

  paths(query: Json.PhotonPathsQuery): Json.PhotonPathsJson {
    const token = this.#token(query.token)
    const amount = someOf(query.amount, token)
    const found = this.#desk.paths(addressOf(query.target), token.address as Address, amount)
    return { token, amount: money(amount, token.decimals), paths: found.map(({ nodes, fee }) => ({ nodes: [...nodes], fee: money(fee, token.decimals) })) }
  }

  watching(): Json.PhotonWatchJson {
    const { jobs, guardians } = this.#desk.watching()
    return { jobs, guardians: guardians.map(({ channel, watcher, nonce }) => ({ channel, watcher, nonce: nonce.toString() })) }
  }

  peers(): Json.PhotonPeersJson {
    return { peers: this.#desk.peers().map(({ account, address, isConnected }) => ({ account, address, isConnected })) }
  }

  async addPeer(request: Json.PhotonPeerRequest): Promise<Json.PhotonPeersJson> {
    await this.#desk.addPeer(addressOf(request.account), request.address)
    return this.peers()
  }

  get #on(): PhotonPort {
    if (this.#port === null) throw new MeshBoxError('unavailable', "this box has no payment channels; add 'photon' to the roles, name a contract in section photon 'photon', and restart the service", { code: 'photon-off' })
    return this.#port
  }

  get #desk(): PhotonDesk {
    return this.#on.desk
  }

  /** `order` may also throw. */
  async #change(id: string, order: (view: DeskChannel) => Promise<void>): Promise<Json.PhotonChannelJson> {
    const before = this.#found(id)
    await order(before)
    return this.#channelJson(this.#desk.channel(before.id) ?? before) // gone: what was ordered is done
  }

  #found(id: string): DeskChannel {
    const found = this.#desk.channel(hashOf(id))
    if (found === null) throw new MeshBoxError('not-found', `there is no channel ${id}`, { code: 'photon-channel', field: 'id', value: id })
    return found
  }

  #channelJson(view: DeskChannel): Json.PhotonChannelJson {
    return channelJson(view, this.#tokenOf(view))
  }

  #paymentOrNull(id: Hash): Json.PhotonPaymentJson | null {
    const row = this.#desk.payment(id)
    return row === null ? null : paymentJson(row, this.#tokens().get(row.token) ?? unnamedToken(row.token))
  }

  #tokenOf(view: DeskChannel): Json.PhotonTokenJson {
    return tokenOf(view, this.#tokens())
  }

  /** Those the owner named. Asked often: no channel is looked at for it. */
  #tokens(): ReadonlyMap<Address, Json.PhotonTokenJson> {
    return new Map(this.#on.tokens().map(({ address, symbol, decimals }) => [address, { address, symbol, decimals }]))
  }

  /** By address or symbol; of an address that nobody has named amounts are smallest units. Errors: input `token`, naming those there are. */
  #token(named: string | undefined): Json.PhotonTokenJson {
    const tokens = [...this.#tokens().values()]
    const [first] = tokens
    const wanted = named?.toLowerCase()
    const found = wanted === undefined ? tokens.slice(0, 1) : tokens.filter(({ address, symbol }) => address === wanted || symbol.toLowerCase() === wanted)
    const [only] = found
    if (only !== undefined && found.length === 1) return only
    if (wanted !== undefined && found.length === 0 && ADDRESS.test(wanted)) return unnamedToken(wanted as Address)
    const allowed = first === undefined ? 'an address: no token is named in the configuration' : tokens.map(({ address, symbol }) => `${symbol} (${address})`).join(', ')
    throw inputError('token', named ?? 'nothing', found.length > 1 ? `an address: several tokens are called so: ${allowed}` : allowed)
  }
}

/** In place of a room that did not start: whoever asks is told why. */
export function photonOutOfOrder(reason: string): PhotonDesk {
  const refuse = (): never => {
    throw new MeshBoxError('unavailable', `payment channels could not be started: ${reason}; mend that and restart the service`, { code: 'photon-not-started' })
  }
  const refuseLater = async (): Promise<never> => refuse()
  return {
    status: refuse, channels: refuse, channel: refuse, open: refuseLater, deposit: refuseLater, withdraw: refuseLater, close: refuseLater, pay: refuseLater, cancel: refuseLater, allowReveal: refuseLater,
    payment: refuse, payments: refuse, duties: refuse, paths: refuse, watching: refuse, peers: refuse, giveSecret: refuseLater, swap: refuseLater, clearAlarm: refuseLater, wrap: refuseLater, unwrap: refuseLater, addPeer: refuseLater, onChange: () => () => undefined,
  }
}

/** As the owner named it, or as the channels' room knows it. */
function tokenOf({ token: address, symbol, decimals }: DeskChannel, tokens: ReadonlyMap<Address, Json.PhotonTokenJson>): Json.PhotonTokenJson {
  return tokens.get(address) ?? (symbol === null ? unnamedToken(address) : { address, symbol, decimals })
}

/** What wants looking at, what carries payments of others, what is the owner's and one partner's alone. */
function rankOf({ alarm, role }: DeskChannel): number {
  return alarm !== null ? 0 : role === 'core' ? 1 : 2
}

/** As the owner named it; else by what it is. */
function originalJson({ state, account, contract, listening, gasWei }: NonNullable<PhotonStatus['original']>): Json.PhotonStatusJson['original'] {
  return { state, account, contract, listening, gas: gasWei === null ? null : money(gasWei, COIN.decimals) }
}

function wrappedJson(address: Address, tokens: ReadonlyMap<Address, Json.PhotonTokenJson>): Json.PhotonTokenJson {
  return tokens.get(address) ?? { address, symbol: `w${COIN.symbol}`, decimals: COIN.decimals }
}

/** More than nothing. Errors: input `amount`. */
function someOf(text: string, token: { readonly decimals: number }): bigint {
  const amount = parseAmount(text, token.decimals)
  if (amount === 0n) throw inputError('amount', text, 'more than 0')
  return amount
}

function addressOf(text: string): Address {
  return text.toLowerCase() as Address
}

function hashOf(text: string): Hash {
  return text.toLowerCase() as Hash
}
