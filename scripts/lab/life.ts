/**
 * What goes on when the story is told: guests come, buy, look at pages and leave; roofs send. A seed says who, what and in which order.
 * And what somebody does to the town from another terminal.
 */
import type { VoucherCreateReply } from '../../src/owner/index.ts'
import type { GuestHost, Town } from '../../test/support/netns.ts'
import { Phone } from '../../test/support/phone.ts'
import { dhcp, type Service } from '../../test/support/town-services.ts'
import type { Dice } from './dice.ts'
import { namesInOrder, nextTurn, wantedBy } from './life-plan.ts'
import { note } from './say.ts'
import type { StoryPlan } from './story-plan.ts'
import { MIB, type Roof, type Street } from './street.ts'

const MAX_GUESTS = 12
const ROUND_MS = 4_000

export interface LifeParts {
  readonly town: Town
  readonly street: Street
  readonly dice: Dice
  readonly plan: Pick<StoryPlan, 'her' | 'him'>
  readonly portal: string
  readonly box: () => Service | null
  /** Told of each new guest. */
  readonly onGuest: (guest: GuestHost) => void
}

export class Life {
  readonly #parts: LifeParts
  readonly #names: readonly string[]
  readonly #called = new Map<string, string>()
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #isOver = false

  constructor(parts: LifeParts) {
    this.#parts = parts
    this.#names = namesInOrder(parts.dice).filter((name) => name !== parts.plan.her && name !== parts.plan.him)
    const { her, him } = parts.plan
    this.#called.set('g1', her).set('g2', him)
  }

  nameOf(mac: string): { readonly id: string; readonly name: string } | null {
    const guest = this.#parts.town.guests.find((one) => one.mac === mac)
    return guest === undefined ? null : { id: `g${guest.index}`, name: this.#called.get(`g${guest.index}`) ?? `Guest ${guest.index}` }
  }

  guests(): readonly { readonly id: string; readonly name: string }[] {
    return this.#parts.town.guests.flatMap(({ mac }) => this.nameOf(mac) ?? [])
  }

  /** Begins; ends by `stop`. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.#next().catch((error: unknown) => note(`(life goes on without it: ${error instanceof Error ? error.message : String(error)})`)).then(() => {
        if (!this.#isOver) this.start()
      })
    }, ROUND_MS)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#round
  }

  async #next(): Promise<void> {
    const { dice, town, street } = this.#parts
    const { kind, guest: index, roof, bytes, wanted } = nextTurn(dice, town.guests.length)
    const guest = town.guests[index]
    if (kind === 'send') return this.#send(roof, bytes)
    if (guest === undefined) return
    if (kind === 'surf') return void (await this.#surf(guest))
    if (town.guests.length > 2 || street.isOn('box5')) await this.#buy(guest, wanted)
  }

  async #send(roof: Roof, size: number): Promise<void> {
    const { street } = this.#parts
    if (!street.isOn(roof) || !street.isOn('box5') || !street.isOn('box6')) return
    await street.stream(roof, size, MIB).catch(() => 0) // a gate that is shut shows on the map
  }

  async #surf(guest: GuestHost): Promise<void> {
    await new Phone(guest).ask('http://shop.example/big?bytes=200000', { timeoutSeconds: 5 })
  }

  /** Only who has nothing running. Result: whether he is on line now. */
  async #buy(guest: GuestHost, wanted: string): Promise<boolean> {
    const box = this.#parts.box()
    if (box === null) return false
    const phone = new Phone(guest)
    const page = await phone.ask('http://shop.example/', { timeoutSeconds: 3 })
    if (page.status !== 302) return page.status === 200
    const made = await box.cliJson<VoucherCreateReply>('voucher', 'create', wanted, '1', '--codes')
    const answer = await phone.submit('http://shop.example/', '/redeem', { code: made.vouchers[0]?.code ?? '' })
    return answer.status === 303
  }

  /** One more, who asks for an address, buys and is on line. Errors: the most there may be; without the box nobody gets an address. */
  async addGuest(): Promise<string> {
    const { town, dice, onGuest } = this.#parts
    const box = this.#parts.box()
    if (town.guests.length >= MAX_GUESTS) throw new Error(`there are ${MAX_GUESTS} guests, and no room for more`)
    if (box === null) throw new Error('box1 is off: nobody would sell him anything; `start box1` or `heal` first')
    const wanted = wantedBy(dice)
    const guest = await town.addGuest()
    const name = this.#names[(guest.index - 3) % this.#names.length] ?? `Guest ${guest.index}`
    this.#called.set(`g${guest.index}`, name)
    onGuest(guest)
    const lease = await dhcp(guest, box.files)
    const isIn = await this.#buy(guest, wanted)
    return `${name} (guest ${guest.index}) has come, got ${lease.ip4}, ${isIn ? `bought '${wanted}' and is on line` : 'and could not buy: look at the portal'}; act as this guest: make guest ARGS="${guest.index} curl http://shop.example/"`
  }
}
