/**
 * "Pay as you go": the payer of photon/stream in the wallet page. The page says what may be spent before the first
 * second, checks what the box offers against what it showed, and pays nothing after "stop". docs/photon-stream.md
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { openConsentDigest } from '../../photon/contracts/orders.ts'
import { StreamPayer, channelIdOf } from '../../photon/stream/payer/index.ts'
import type { PayerEnd, PayerView } from '../../photon/stream/payer/index.ts'
import { MAX_HIDDEN_SECONDS, MAX_VISIBLE_SECONDS, PageStream, block, boxLink, browserTime, firstCounter, isTrustedPage, onVisibility, spendLimit, streamSigner } from '../stream/index.ts'
import type { LeadChoice, StreamSigner } from '../stream/index.ts'
import { askBox } from './ask-box.ts'
import { minutesText, moneyText } from './money.ts'
import { PurseBox } from './purse.ts'
import type { PurseFacts } from './purse.ts'

type Hex = `0x${string}`
interface Facts extends PurseFacts {
  readonly unit: string
  readonly tickSeconds: number
  readonly cap: string | null
}
interface Sayings {
  readonly connecting: string
  readonly running: string
  readonly ended: string
  readonly usedUp: string
  readonly none: string
  readonly opening: string
  readonly added: string
  readonly busy: string
  readonly failed: string
}
interface Balance {
  readonly hasChannel: boolean
  readonly spendable: bigint
  /** On its way into the channel. */
  readonly pending: bigint
}

/** The page's key, as far as paying needs it. */
export interface PayKey {
  readonly secret: Uint8Array
  /** Made or typed in here: money may be put under it. One that came with a link may be somebody else's. */
  readonly isOwn: boolean
}

export interface PayHooks {
  /** null: the page has no key. */
  key(): PayKey | null
  /** For the first money: a new key, shown so that the guest can keep it. */
  makeKey(): PayKey
}

/** While money is on its way. */
const LOOK_AGAIN_MS = 5000
const NONE_AHEAD: LeadChoice = { visibleSeconds: 0, hiddenSeconds: 0, blockSeconds: 0 }
const PAYLOAD = /^#c=([0-9A-Za-z]{100,256})$/
/** `stopped` with one of these: the deposit, or what the guest allowed, is used up. */
const USED_UP = [1, 2]
const NO_CHANNEL = [1, 9]

export class PayCard {
  readonly #card: HTMLElement
  readonly #facts: Facts
  readonly #sayings: Sayings
  readonly #hooks: PayHooks
  /** Null: this box takes no orders. */
  readonly #purse: PurseBox | null
  #signer: StreamSigner | null = null
  #signerSecret: Uint8Array | null = null
  #balance: Balance | null = null
  #stream: PageStream<PayerView> | null = null
  #limit = 0n
  #isAdding = false
  #cancelLook: () => void = () => undefined

  constructor(card: HTMLElement, hooks: PayHooks) {
    this.#card = card
    this.#hooks = hooks
    this.#facts = JSON.parse(card.getAttribute('data-pay') ?? '{}') as Facts
    this.#sayings = JSON.parse(card.getAttribute('data-say') ?? '{}') as Sayings
    this.#purse =
      document.getElementById('purse') === null
        ? null
        : new PurseBox(this.#facts, {
            signer: () => (hooks.key()?.isOwn === true ? this.#signerOfKey() : null),
            makeKey: () => void (hooks.key() === null && hooks.makeKey()),
            spendable: () => (this.#stream === null && this.#balance?.hasChannel === true ? this.#balance.spendable : null),
            changed: () => this.#look(),
          })
    card.hidden = false
    this.#button('pay-start', () => this.#start())
    this.#button('pay-stop', () => this.#stream?.stop())
    this.#button('pay-add', () => this.#add(null))
    const code = this.#input('pay-code')
    code.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.#add(null)
    })
    const scanned = PAYLOAD.exec(location.hash)?.[1]
    if (scanned !== undefined) {
      code.value = scanned
      location.replace('#')
    }
    if (isMiniBrowser()) this.#pick(this.#radios().at(-1))
    onVisibility(() => this.#stream?.visibilityChanged())
  }

  /** The key is another one, or is there at last. */
  keyChanged(): void {
    const key = this.#hooks.key()
    if (key !== null && this.#signerSecret !== null && sameBytes(key.secret, this.#signerSecret)) return this.#draw()
    this.#stream?.stop()
    this.#stream?.close()
    this.#stream = null
    this.#signer = null
    this.#balance = null
    this.#purse?.keyChanged()
    this.#draw()
    if (key !== null) this.#look()
  }

  #draw(): void {
    const key = this.#hooks.key()
    const isPaying = this.#stream !== null
    this.#show('pay-start', !isPaying)
    this.#show('pay-stop', isPaying)
    this.#element('pay-choice').toggleAttribute('disabled', isPaying)
    ;(this.#element('pay-start') as HTMLButtonElement).disabled = this.#balance === null || !this.#balance.hasChannel || this.#balance.spendable < BigInt(this.#facts.unit)
    this.#show('pay-add-box', !isPaying && (key === null || key.isOwn))
    this.#show('pay-own', !isPaying && key !== null && !key.isOwn)
    if (this.#purse !== null) this.#show('purse', key === null || key.isOwn)
    this.#purse?.draw()
    this.#element('pay-balance').textContent = this.#balance === null ? '–' : this.#money(this.#balance.spendable)
  }

  #look(): void {
    this.#cancelLook()
    const signer = this.#signerOfKey()
    if (signer === null) return
    askBox(`/stream/${signer.address}.json`, null, ({ status, body }) => {
      if (signer !== this.#signer || this.#stream !== null) return
      if (status === 200 && typeof body['spendable'] === 'string' && /^\d{1,40}$/.test(body['spendable'])) {
        const pending = typeof body['pending'] === 'string' && /^\d{1,40}$/.test(body['pending']) ? BigInt(body['pending']) : 0n
        const wasPending = this.#balance !== null && this.#balance.pending > 0n
        this.#balance = { hasChannel: body['hasChannel'] === true, spendable: BigInt(body['spendable']), pending }
        this.#show('pay-offline', body['isChainReachable'] === false)
        if (pending > 0n) this.#say(this.#sayings.opening)
        else if (!this.#balance.hasChannel) this.#say(this.#sayings.none)
        else if (wasPending) this.#say(null)
        this.#draw()
      }
      const isWaiting = status === 0 || status >= 500 || (this.#balance !== null && this.#balance.pending > 0n)
      if (isWaiting) this.#cancelLook = browserTime.after(LOOK_AGAIN_MS, () => this.#look())
    })
  }

  #start(): void {
    const signer = this.#signerOfKey()
    if (signer === null || this.#balance === null || this.#stream !== null) return
    const { chainId, contract, token, payee, tickSeconds, cap } = this.#facts
    const unit = BigInt(this.#facts.unit)
    const choice = choiceOf(this.#radios().find((radio) => radio.checked)?.value ?? '0')
    this.#limit = spendLimit(this.#balance.spendable, choice, { unit, tickSeconds }, isTrustedPage() || cap === null ? null : BigInt(cap))
    const machine = new StreamPayer(
      { payer: signer.address, payee, contract: { chainId: BigInt(chainId), contract }, token, master: signer.master, counter: firstCounter(), known: 0n, limits: { unit, total: this.#limit } },
      signer,
    )
    const stream: PageStream<PayerView> = new PageStream<PayerView>({
      machine,
      link: boxLink('/stream', browserTime),
      time: browserTime,
      isHidden: () => document.visibilityState === 'hidden',
      choice,
      show: (view) => {
        if (this.#stream === stream) this.#shown(stream, view)
      },
    })
    this.#stream = stream
    this.#cancelLook()
    this.#fail(null)
    this.#say(this.#sayings.connecting)
    this.#draw()
    stream.start()
  }

  #shown(stream: PageStream<PayerView>, view: PayerView): void {
    this.#card.setAttribute('data-phase', view.phase)
    // What is paid ahead is the guest's until it is used.
    const ahead = view.phase === 'over' ? 0n : BigInt(Math.floor(view.aheadSeconds / this.#facts.tickSeconds)) * BigInt(this.#facts.unit)
    const spent = view.spent > ahead ? view.spent - ahead : 0n
    this.#element('pay-spent').textContent = this.#money(spent)
    this.#element('pay-ahead').textContent = minutesText(view.aheadSeconds)
    if (this.#balance !== null) this.#element('pay-balance').textContent = this.#money(this.#balance.spendable > spent ? this.#balance.spendable - spent : 0n)
    if (view.phase === 'paying') this.#say(this.#sayings.running)
    if (view.phase !== 'over') return
    stream.close()
    this.#stream = null
    const { isFailure, text } = this.#lastWord(view)
    this.#fail(isFailure ? text : null)
    this.#say(isFailure ? null : text)
    this.#draw()
    this.#look()
  }

  #lastWord({ end, spent }: PayerView): { readonly isFailure: boolean; readonly text: string } {
    const { ended, usedUp, none, busy, failed } = this.#sayings
    const isUsedUp = isStopFor(end, USED_UP) || spent + BigInt(this.#facts.unit) > this.#limit
    if (end?.why === 'stopped') return { isFailure: false, text: isUsedUp ? usedUp : ended }
    if (end?.why === 'refused' && NO_CHANNEL.includes(end.code)) return { isFailure: false, text: none }
    return { isFailure: true, text: end?.why === 'no-answer' ? busy : failed }
  }

  /** `consent`: the second time, with what the box wanted signed. */
  #add(consent: string | null): void {
    const input = this.#input('pay-code')
    const typed = input.value.trim()
    if (typed === '') return input.focus()
    if (this.#isAdding) return
    const key = this.#hooks.key() ?? this.#hooks.makeKey()
    const signer = this.#signerOfKey()
    if (!key.isOwn || signer === null) return
    this.#busy(true)
    this.#fail(null)
    askBox('/wallet/top-up', { token: this.#facts.formToken, code: typed, address: signer.address, ...(consent === null ? {} : { consent }) }, ({ status, body }) => {
      this.#busy(false)
      const asked = consent === null && status === 200 && body['state'] === 'unsigned' ? this.#signConsent(signer, body['consent'], body['amount']) : null
      if (asked !== null) return this.#add(asked)
      if (status !== 200 || body['state'] === 'unsigned' || typeof body['amount'] !== 'string') {
        this.#fail(typeof body['text'] === 'string' ? body['text'] : status === 0 ? this.#sayings.busy : this.#sayings.failed)
        input.setAttribute('aria-invalid', 'true')
        return
      }
      input.value = ''
      input.removeAttribute('aria-invalid')
      this.#say(this.#sayings.added.replace('%', this.#money(BigInt(body['amount']))))
      this.#look()
    })
  }

  /** What the box wants signed to open a channel with its own tokens; null: it is not for our channel with this box. */
  #signConsent(signer: StreamSigner, terms: unknown, amount: unknown): string | null {
    const { channel, epoch, settleTimeout, validUntil, ...rest } = terms as { channel: Hex; amount: string; epoch: string; settleTimeout: number; validUntil: number }
    const { chainId, contract, payee, token } = this.#facts
    if (channel !== channelIdOf(signer.address, payee, token, contract) || rest.amount !== amount) return null
    const consent = { channel, epoch: BigInt(epoch), participant: signer.address, amount: BigInt(rest.amount), settleTimeout, validUntil }
    const signature = signer.sign(openConsentDigest(keccak_256, { chainId: BigInt(chainId), contract }, consent))
    return JSON.stringify({ channel, amount: rest.amount, settleTimeout, epoch, validUntil, signature: `0x${Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')}` })
  }

  #signerOfKey(): StreamSigner | null {
    const key = this.#hooks.key()
    if (key === null) return null
    if (this.#signer === null || this.#signerSecret === null || !sameBytes(this.#signerSecret, key.secret)) {
      this.#signer = streamSigner(key.secret)
      this.#signerSecret = key.secret
    }
    return this.#signer
  }

  #busy(isBusy: boolean): void {
    this.#isAdding = isBusy
    this.#element('pay-add').toggleAttribute('aria-busy', isBusy)
  }

  #say(text: string | null): void {
    const line = this.#element('pay-say')
    if (line.textContent !== (text ?? '')) line.textContent = text ?? ''
    line.hidden = text === null
  }

  #fail(text: string | null): void {
    this.#element('pay-error').textContent = text ?? ''
    this.#show('pay-error', text !== null)
  }

  #money(amount: bigint): string {
    return moneyText(amount, this.#facts)
  }

  #pick(radio: HTMLInputElement | undefined): void {
    if (radio !== undefined) radio.checked = true
  }

  #radios(): HTMLInputElement[] {
    return Array.from(this.#card.querySelectorAll<HTMLInputElement>('input[type=radio]'))
  }

  #button(id: string, press: () => void): void {
    this.#element(id).addEventListener('click', press)
  }

  #show(id: string, isShown: boolean): void {
    this.#element(id).hidden = !isShown
  }

  #input(id: string): HTMLInputElement {
    return this.#element(id) as HTMLInputElement
  }

  #element(id: string): HTMLElement {
    const found = document.getElementById(id)
    if (!found) throw new Error(`the page has no ${id}`)
    return found
  }
}

/** `0`, `90`, `600`: seconds when the page is gone; `block-30`: minutes at once. */
export function choiceOf(value: string): LeadChoice {
  const minutes = /^block-(\d+)$/.exec(value)?.[1]
  if (minutes !== undefined) return block(Number(minutes))
  const seconds = Number(value)
  if (!(seconds > 0)) return NONE_AHEAD
  return { visibleSeconds: Math.min(seconds, MAX_VISIBLE_SECONDS), hiddenSeconds: Math.min(seconds, MAX_HIDDEN_SECONDS), blockSeconds: 0 }
}

/**
 * The sheet a phone shows for a captive portal dies when the guest is online. Apple's does not call itself Safari,
 * Android's is a WebView. A wrong guess only picks another choice beforehand.
 */
export function isMiniBrowser(agent = navigator.userAgent): boolean {
  return /; wv\)/.test(agent) || (/(iPhone|iPad|Macintosh).*AppleWebKit/.test(agent) && !/Safari|CriOS|FxiOS|Chrome|Firefox/.test(agent))
}

function isStopFor(end: PayerEnd | null, codes: readonly number[]): boolean {
  return end?.why === 'stopped' && codes.includes(end.code)
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
