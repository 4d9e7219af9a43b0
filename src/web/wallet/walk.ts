/**
 * Time under this key that another box sold, or has: the key signs that it goes on at the box of this page. Asked while the page is
 * open, also when the phone has gone to another box meanwhile: where the guest is in by his device, or was until the key was asked
 * for, it signs by itself. In a pocket the page asks more seldom, as long as the phone lets it run.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { askBox } from './ask-box.ts'

const ASK_EVERY_MS = 5000
/** Well within what a box lets a device use without the key, if the phone does not hold the page's timers longer than a minute. */
const ASK_HIDDEN_EVERY_MS = 30_000
const HOLDS_UP_MS = 60_000
const MOVE = 1

/** As `/wallet/kept/` says it. */
export interface Walk {
  readonly seller: string
  readonly claimant: string
  readonly sessionId: string
  readonly counter: number
  readonly isHere: boolean
}

export interface WalkKey {
  readonly address: string
  /** r, s, v as 0x and hex, of a 32-byte digest. */
  sign(digest: Uint8Array): string
}

/** What is signed: keccak-256 of `meshbox roam-claim 1`, a zero byte and RLP [1, seller, sessionId, counter, claimant] (docs/wallet.md). */
export function walkDigest({ seller, sessionId, counter, claimant }: Walk): Uint8Array {
  const fields = [integer(MOVE), address(seller), ascii(sessionId), integer(counter), address(claimant)].map((bytes) => {
    const [first = 0] = bytes
    return bytes.length === 1 && first < 0x80 ? bytes : joined([Uint8Array.of(0x80 + bytes.length), bytes])
  })
  const body = joined(fields)
  const head = body.length < 56 ? [0xc0 + body.length] : [0xf8, body.length]
  return keccak_256(joined([ascii('meshbox roam-claim 1\0'), Uint8Array.from(head), body]))
}

export class WalkCard {
  readonly #box: HTMLElement
  readonly #key: () => WalkKey | null
  readonly #changed: () => void
  #token = ''
  #walks: readonly Walk[] = []
  #isBusy = false
  #hasAsked = false
  /** By itself, here. */
  #isShown = false
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** Not again at once what was refused. */
  #refusedAtMs = Number.NEGATIVE_INFINITY

  /** `changed`: what `isForOpen` says may be another. */
  constructor(box: HTMLElement, key: () => WalkKey | null, changed: () => void) {
    this.#box = box
    this.#key = key
    this.#changed = changed
    document.getElementById('walk-button')?.addEventListener('click', () => this.#show(0, true))
    setInterval(() => {
      if (!document.hidden || performance.now() - this.#askedAtMs >= ASK_HIDDEN_EVERY_MS) this.ask()
    }, ASK_EVERY_MS)
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.ask()
    })
  }

  /** The box has answered, and knows of nothing elsewhere: what this key may hold was sold here, and is not away. */
  get isForOpen(): boolean {
    return this.#hasAsked && this.#walks.length === 0 && !this.#isShown
  }

  ask(): void {
    const key = this.#key()
    if (key === null || this.#isBusy) return
    this.#isBusy = true
    this.#askedAtMs = performance.now()
    askBox(`/wallet/kept/${key.address.toLowerCase()}.json`, null, ({ status, body }) => {
      this.#isBusy = false
      this.#hasAsked = true
      if (status !== 200) return this.#changed()
      this.#token = String(body['token'])
      this.#walks = (Array.isArray(body['walks']) ? body['walks'] : []).filter(isWalk)
      this.#box.hidden = this.#walks.length === 0
      if (this.#walks.length > 0) this.#tellShown(false)
      this.#changed()
      const here = this.#walks.findIndex(({ isHere }) => isHere)
      if (here >= 0 && performance.now() - this.#refusedAtMs > HOLDS_UP_MS) this.#show(here, false)
    })
  }

  /** `isAsked`: by the guest, who wants to be online: the next one is tried where this one is refused, and the start page follows. */
  #show(index: number, isAsked: boolean): void {
    const key = this.#key()
    const walk = this.#walks[index]
    if (key === null || walk === undefined || this.#isBusy) return
    this.#isBusy = true
    askBox('/wallet/show', { token: this.#token, session: walk.sessionId, signature: key.sign(walkDigest(walk)) }, ({ status, body }) => {
      this.#isBusy = false
      // Its own empty #, so that the key does not stay in the address of a page that has no use for it.
      if (status === 200 && isAsked) return location.assign('/#')
      if (status === 200) return this.#tellShown(true)
      this.#refusedAtMs = performance.now()
      if (isAsked && index + 1 < this.#walks.length) return this.#show(index + 1, true)
      const said = document.getElementById('walk-text')
      if (isAsked && said !== null && typeof body['text'] === 'string') said.textContent = body['text']
    })
  }

  #tellShown(isShown: boolean): void {
    this.#isShown = isShown
    if (isShown) this.#box.hidden = true
    const told = document.getElementById('walk-shown')
    if (told !== null) told.hidden = !isShown
    this.#changed()
  }
}

function isWalk(each: unknown): each is Walk {
  if (typeof each !== 'object' || each === null) return false
  const { seller, claimant, sessionId, counter } = each as Record<string, unknown>
  const isAddress = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value)
  return isAddress(seller) && isAddress(claimant) && typeof sessionId === 'string' && /^[0-9A-Za-z-]{1,32}$/.test(sessionId) && Number.isSafeInteger(counter)
}

/** Shortest, big-endian; zero is empty. */
function integer(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Uint8Array.from(bytes)
}

function address(text: string): Uint8Array {
  return Uint8Array.from({ length: 20 }, (_, at) => parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16))
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
