/**
 * A stream in a page: the payer, driven by the link's messages, a timer, and whether the page is looked at. Frames of a
 * longer lead leave in the moment the page is hidden, before the browser puts it to sleep.
 */
import { leadSeconds } from './lead.ts'
import type { LeadChoice } from './lead.ts'
import type { BoxLink, PageTime, PayMachine, PayStep } from './ports.ts'

export interface PageStreamParts<View> {
  readonly machine: PayMachine<View>
  readonly link: BoxLink
  readonly time: PageTime
  readonly isHidden: () => boolean
  readonly choice: LeadChoice
  /** After each change. */
  readonly show: (view: View) => void
}

export class PageStream<View> {
  readonly #parts: PageStreamParts<View>
  #cancel: () => void = () => undefined
  #isStarted = false

  constructor(parts: PageStreamParts<View>) {
    this.#parts = parts
  }

  start(): void {
    const { link, machine, time } = this.#parts
    this.#setLead()
    link.open({
      connected: () => {
        this.#take(this.#isStarted ? machine.connected(time.now()) : machine.start(time.now()))
        this.#isStarted = true
      },
      received: (bytes) => this.#take(machine.receive(bytes, time.now())),
    })
  }

  /** To be called when the page is hidden and when it is shown again. */
  visibilityChanged(): void {
    this.#setLead()
    const { machine, time } = this.#parts
    if (this.#isStarted) this.#take(machine.wake(time.now()))
  }

  stop(): void {
    const { machine, time } = this.#parts
    this.#take(machine.stop(time.now()))
  }

  close(): void {
    this.#cancel()
    this.#parts.link.close()
  }

  #setLead(): void {
    const { choice, isHidden, machine, time } = this.#parts
    this.#take(machine.lead(leadSeconds(choice, isHidden()), time.now()))
  }

  #take({ send, wakeAtMs }: PayStep): void {
    const { link, machine, show, time } = this.#parts
    for (const frames of send) link.send(frames)
    if (wakeAtMs !== null) {
      this.#cancel()
      this.#cancel = time.after(Math.max(0, wakeAtMs - time.now()), () => this.#take(machine.wake(time.now())))
    }
    show(machine.view)
  }
}
