/**
 * What the key has in the network's purse, and what the guest orders with it: into his channel with this box, to somebody
 * else, out of the channel. The page signs what the guest asked for and what it showed him, and nothing that the box says
 * besides; the box sends it and takes the fee that stands on the page. docs/photon-stream.md
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import encodeQR from 'qr'
import { endConsentDigest, openConsentDigest, openingOrderDigest, paymentOrderDigest } from '../../photon/contracts/orders.ts'
import { channelIdOf } from '../../photon/stream/payer/index.ts'
import { browserTime } from '../stream/index.ts'
import type { StreamSigner } from '../stream/index.ts'
import { askBox } from './ask-box.ts'
import type { BoxAnswer } from './ask-box.ts'
import { amountOf, moneyText } from './money.ts'
import type { MoneyStyle } from './money.ts'

type Hex = `0x${string}`

/** Of the card's, as far as orders need it. */
export interface PurseFacts extends MoneyStyle {
  readonly chainId: string
  readonly contract: Hex
  readonly token: Hex
  readonly payee: Hex
  readonly formToken: string
  readonly purse: { readonly contract: Hex; readonly fee: string; readonly least: string } | null
}

export interface PurseHooks {
  signer(): StreamSigner | null
  /** Where there is none yet: tokens have to be paid in for somebody. */
  makeKey(): void
  /** What can be spent in the channel; null: there is none. */
  spendable(): bigint | null
  /** The channel is not what it was. */
  changed(): void
}

interface Sayings {
  readonly sent: string
  readonly out: string
  readonly done: string
  readonly failed: string
  readonly tooMuch: string
  readonly running: string
  readonly badAddress: string
  readonly least: string
  readonly busy: string
  readonly wrong: string
}

interface View {
  readonly balance: bigint
  readonly arriving: bigint
  readonly number: bigint
  readonly head: number
  readonly epoch: bigint
  readonly channelState: string
  readonly settleTimeout: number
  readonly order: { readonly hash: string; readonly state: string } | null
}

type Asked = { readonly what: 'in' } | { readonly what: 'pay'; readonly to: Hex; readonly inside: boolean }

const LOOK_AGAIN_MS = 5000
/** Blocks in which an order may be sent. */
const VALID_BLOCKS = 250
/** No channel is locked for longer than that, whatever the box says: two months of blocks of 2 s. */
const MAX_SETTLE_TIMEOUT = 2_700_000
const ADDRESS = /^0x[0-9a-f]{40}$/
const DIGITS = /^\d{1,78}$/
const RUNNING = ['waiting', 'confirming']

export class PurseBox {
  readonly #facts: PurseFacts
  readonly #place: { readonly contract: Hex; readonly fee: bigint; readonly least: bigint }
  /** Null: what is in the card has not been fetched yet. */
  #words: Sayings | null = null
  readonly #hooks: PurseHooks
  #view: View | null = null
  #isBusy = false
  /** Of the order that this page has given, while it is on its way. */
  #hash: string | null = null
  #cancelLook: () => void = () => undefined

  constructor(facts: PurseFacts, hooks: PurseHooks) {
    this.#facts = facts
    this.#hooks = hooks
    this.#place = { contract: facts.purse?.contract ?? '0x', fee: BigInt(facts.purse?.fee ?? '0'), least: BigInt(facts.purse?.least ?? '0') }
    this.#details('purse-box').addEventListener('toggle', () => this.#opened())
    this.#details('facts-box').addEventListener('toggle', () => this.#showFacts())
  }

  /** The key, or what is in the channel, is another. */
  draw(): void {
    if (this.#words === null) return
    const signer = this.#hooks.signer()
    const spendable = this.#hooks.spendable()
    this.#show('out-box', spendable !== null && spendable > this.#place.fee)
    this.#element('purse-balance').textContent = this.#view === null || signer === null ? '–' : this.#money(this.#view.balance)
    const arriving = this.#view?.arriving ?? 0n
    this.#show('purse-coming', arriving > 0n)
    this.#element('purse-arriving').textContent = this.#money(arriving)
    const isRunning = RUNNING.includes(this.#view?.order?.state ?? '')
    for (const id of ['purse-in', 'purse-send', 'take-out']) (this.#element(id) as HTMLButtonElement).disabled = isRunning || this.#isBusy
  }

  keyChanged(): void {
    this.#view = null
    this.#hash = null
    if (this.#words !== null) {
      this.#say(null)
      this.#fail(null)
    }
    this.draw()
    this.#showFacts()
    if (this.#details('purse-box').open) this.#fetched()
  }

  #opened(): void {
    if (!this.#details('purse-box').open) return this.#cancelLook()
    if (this.#hooks.signer() === null) this.#hooks.makeKey()
    this.#fetched()
  }

  /** The card's words and fields, once; then what the key has. */
  #fetched(): void {
    if (this.#words !== null) return this.#look()
    askBox(`/wallet/purse.json?lang=${document.documentElement.lang}`, null, ({ status, body }) => {
      const { html, say } = body
      if (this.#words !== null || status !== 200 || typeof html !== 'string' || typeof say !== 'object' || say === null) return
      this.#words = say as Sayings
      // From the box that this very script came from.
      this.#element('purse-place').innerHTML = html
      this.#button('purse-in', () => this.#order({ what: 'in' }))
      this.#button('purse-send', () => this.#send())
      this.#button('take-out', () => this.#takeOut(null))
      this.draw()
      this.#look()
    })
  }

  get #sayings(): Sayings {
    if (this.#words === null) throw new Error('the card has not been fetched')
    return this.#words
  }

  #look(): void {
    this.#cancelLook()
    const signer = this.#hooks.signer()
    if (signer === null) return
    askBox(`/stream/${signer.address}/purse.json`, null, (answer) => {
      if (signer !== this.#hooks.signer()) return
      const view = viewOf(answer)
      if (view !== null) this.#shown(view)
      const isMoving = view === null || view.arriving > 0n || RUNNING.includes(view.order?.state ?? '') || view.channelState === 'closing' || view.channelState === 'opening'
      if (isMoving && this.#details('purse-box').open) this.#cancelLook = browserTime.after(LOOK_AGAIN_MS, () => this.#look())
    })
  }

  #shown(view: View): void {
    const wasOther = this.#view !== null && this.#view.channelState !== view.channelState
    this.#view = view
    const { order } = view
    if (order !== null && order.hash === this.#hash && !RUNNING.includes(order.state)) {
      this.#hash = null
      this.#say(order.state === 'done' ? this.#sayings.done : null)
      this.#fail(order.state === 'done' ? null : this.#sayings.failed)
      this.#hooks.changed()
    } else if (wasOther) this.#hooks.changed()
    this.draw()
  }

  #send(): void {
    const field = this.#element('purse-to') as HTMLInputElement
    const to = field.value.trim().toLowerCase()
    const isAddress = ADDRESS.test(to)
    if (!isAddress) {
      field.setAttribute('aria-invalid', 'true')
      return this.#fail(this.#sayings.badAddress)
    }
    field.removeAttribute('aria-invalid')
    this.#order({ what: 'pay', to: to as Hex, inside: (this.#element('purse-inside') as HTMLInputElement).checked })
  }

  #order(asked: Asked): void {
    const field = this.#element('purse-amount') as HTMLInputElement
    const amount = amountOf(field.value, this.#facts)
    const signer = this.#hooks.signer()
    if (amount === null || amount === 0n || signer === null) return field.focus()
    if (this.#isBusy) return
    this.#begin()
    // As the chain has it now: the number, and how the channel stands.
    askBox(`/stream/${signer.address}/purse.json`, null, (answer) => {
      const view = viewOf(answer)
      if (view === null) return this.#refused(answer)
      this.#shown(view)
      if (RUNNING.includes(view.order?.state ?? '')) return this.#end(this.#sayings.running)
      const isTooLittle = asked.what === 'in' && view.channelState === 'none' && amount < this.#place.least
      if (isTooLittle || amount + this.#place.fee > view.balance) {
        field.setAttribute('aria-invalid', 'true')
        return this.#end(isTooLittle ? this.#sayings.least : this.#sayings.tooMuch)
      }
      field.removeAttribute('aria-invalid')
      const order = asked.what === 'pay' ? this.#payment(signer, view, amount, asked) : this.#opening(signer, view, amount)
      if (order === null) return this.#end(this.#sayings.running)
      askBox('/wallet/order', { token: this.#facts.formToken, address: signer.address, order: JSON.stringify(order) }, (placed) => {
        const hash = placed.body['hash']
        if (placed.status !== 200 || typeof hash !== 'string') return this.#refused(placed)
        this.#hash = hash
        field.value = ''
        this.#end(null)
        this.#say(this.#sayings.sent.replace('%', this.#money(amount)))
        this.#look()
      })
    })
  }

  #payment(signer: StreamSigner, view: View, amount: bigint, { to, inside }: Extract<Asked, { what: 'pay' }>): object {
    const { token, payee } = this.#facts
    const { fee } = this.#place
    const validUntil = view.head + VALID_BLOCKS
    const digest = paymentOrderDigest(keccak_256, this.#purse(), { token, from: signer.address, to, amount, inside, fee, sender: payee, number: view.number, validUntil })
    return { what: 'pay', amount: `${amount}`, fee: `${fee}`, number: `${view.number}`, validUntil, to, inside, signature: hexOf(signer.sign(digest)) }
  }

  /** Null: the channel is between two states. */
  #opening(signer: StreamSigner, view: View, amount: bigint): object | null {
    const { token, payee } = this.#facts
    const { epoch, settleTimeout, number } = view
    const { fee } = this.#place
    if ((view.channelState !== 'none' && view.channelState !== 'open') || settleTimeout > MAX_SETTLE_TIMEOUT) return null
    const validUntil = view.head + VALID_BLOCKS
    const digest = openingOrderDigest(keccak_256, this.#purse(), { token, from: signer.address, partner: payee, amount, settleTimeout, epoch, fee, sender: payee, number, validUntil })
    const order = { amount: `${amount}`, fee: `${fee}`, number: `${number}`, validUntil, epoch: `${epoch}`, settleTimeout, signature: hexOf(signer.sign(digest)) }
    if (view.channelState === 'open') return { what: 'put-in', ...order }
    const consent = openConsentDigest(keccak_256, this.#photon(), { channel: this.#channel(signer), epoch, participant: signer.address, amount, settleTimeout, validUntil })
    return { what: 'open', ...order, consent: hexOf(signer.sign(consent)) }
  }

  /** `end`: the second time, with what was signed. */
  #takeOut(end: object | null): void {
    const signer = this.#hooks.signer()
    const spendable = this.#hooks.spendable()
    if (signer === null || spendable === null || (this.#isBusy && end === null)) return
    this.#begin()
    const fields = { token: this.#facts.formToken, address: signer.address }
    askBox('/wallet/take-out', end === null ? fields : { ...fields, order: JSON.stringify(end) }, (answer) => {
      const { guest, box, epoch, validUntil, channel } = answer.body
      const isOffer = isDigits(guest) && isDigits(box) && isDigits(epoch) && typeof validUntil === 'number' && channel === this.#channel(signer)
      if (answer.status !== 200 || !isOffer) return this.#refused(answer)
      if (end === null) {
        // No less than what the page showed, and the fee.
        if (BigInt(guest) + this.#place.fee < spendable) return this.#end(this.#sayings.wrong)
        const digest = endConsentDigest(keccak_256, this.#photon(), { channel: this.#channel(signer), epoch: BigInt(epoch), p1: signer.address, balance1: BigInt(guest), p2: this.#facts.payee, balance2: BigInt(box), validUntil })
        return this.#takeOut({ validUntil, signature: hexOf(signer.sign(digest)) })
      }
      this.#end(null)
      this.#say(this.#sayings.out.replace('%', this.#money(BigInt(guest))))
      this.#hooks.changed()
      this.#look()
    })
  }

  /** All that a wallet needs where this box is no more; made of what the page knows by itself. */
  #showFacts(): void {
    const signer = this.#hooks.signer()
    const [pre, qr] = [this.#element('facts'), this.#element('facts-qr')]
    pre.textContent = ''
    qr.textContent = ''
    if (!this.#details('facts-box').open || signer === null) return
    const { chainId, contract, token, payee } = this.#facts
    const none = '0x0'
    const facts = {
      chainId,
      channelContract: contract,
      token,
      box: payee,
      me: signer.address,
      channel: this.#channel(signer),
      purse: this.#place.contract,
      calls: [`close(token, box, 0, ${none}, 0, ${none}, 0x)`, `after ${this.#view?.settleTimeout ?? 'settleTimeout'} blocks: settle(token, me, 0, ${none}, box, 0, ${none})`, 'purse: withdraw(token, me, balanceOf(token, me))'],
    }
    pre.textContent = JSON.stringify(facts, null, 1)
    qr.innerHTML = encodeQR(JSON.stringify(facts), 'svg', { ecc: 'low', border: 1 }).replace('<svg ', '<svg aria-hidden="true" ')
  }

  #channel(signer: StreamSigner): Hex {
    const { payee, token, contract } = this.#facts
    return channelIdOf(signer.address, payee, token, contract)
  }

  #purse(): { readonly chainId: bigint; readonly contract: Hex } {
    return { chainId: BigInt(this.#facts.chainId), contract: this.#place.contract }
  }

  #photon(): { readonly chainId: bigint; readonly contract: Hex } {
    return { chainId: BigInt(this.#facts.chainId), contract: this.#facts.contract }
  }

  #begin(): void {
    this.#isBusy = true
    this.#fail(null)
    this.draw()
  }

  /** `text`: why it was not done. */
  #end(text: string | null): void {
    this.#isBusy = false
    this.#fail(text)
    this.draw()
  }

  #refused({ status, body }: BoxAnswer): void {
    this.#end(typeof body['text'] === 'string' ? body['text'] : status === 0 ? this.#sayings.busy : this.#sayings.wrong)
  }

  #say(text: string | null): void {
    this.#tell('purse-say', text)
  }

  #fail(text: string | null): void {
    this.#tell('purse-error', text)
    if (text !== null) this.#say(null)
  }

  /** Above the buttons, and where the guest sees it. */
  #tell(id: string, text: string | null): void {
    const line = this.#element(id)
    line.textContent = text ?? ''
    line.hidden = text === null
    if (text !== null) line.scrollIntoView({ block: 'nearest' })
  }

  #money(amount: bigint): string {
    return moneyText(amount, this.#facts)
  }

  #button(id: string, press: () => void): void {
    this.#element(id).addEventListener('click', press)
  }

  #show(id: string, isShown: boolean): void {
    this.#element(id).hidden = !isShown
  }

  #details(id: string): HTMLDetailsElement {
    return this.#element(id) as HTMLDetailsElement
  }

  #element(id: string): HTMLElement {
    const found = document.getElementById(id)
    if (!found) throw new Error(`the page has no ${id}`)
    return found
  }
}

function isDigits(value: unknown): value is string {
  return typeof value === 'string' && DIGITS.test(value)
}

/** Null: not an answer that means anything. */
function viewOf({ status, body }: BoxAnswer): View | null {
  const { balance, arriving, number, head, epoch, channelState, settleTimeout, order } = body
  if (status !== 200 || !isDigits(balance) || !isDigits(arriving) || !isDigits(number) || !isDigits(epoch) || typeof head !== 'number' || typeof settleTimeout !== 'number' || typeof channelState !== 'string') return null
  const { hash, state } = (order ?? {}) as { readonly hash?: unknown; readonly state?: unknown }
  return {
    balance: BigInt(balance),
    arriving: BigInt(arriving),
    number: BigInt(number),
    head,
    epoch: BigInt(epoch),
    channelState,
    settleTimeout,
    order: typeof hash === 'string' && typeof state === 'string' ? { hash, state } : null,
  }
}

function hexOf(signature: Uint8Array): string {
  return `0x${Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
