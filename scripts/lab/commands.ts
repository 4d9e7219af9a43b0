/** What may be done to the town from another terminal (`make lab`): cables, plugs, guests, a cheat. */
import type { Host } from '../../test/support/netns.ts'
import { startService, waitFor } from '../../test/support/town-services.ts'
import type { Command } from './control.ts'
import type { Life } from './life.ts'
import { note, secondsSinceStart } from './say.ts'
import type { Scene } from './scene.ts'
import type { Box } from './story.ts'
import { STREET, type Roof, type Street } from './street.ts'
import { table } from './book.ts'

const CHEAT: Roof = 'box7'
/** Who carries for it. */
const CARRIER: Roof = 'box5'
const CAUGHT_WITHIN_MS = 120_000

/** The street, as far as hands reach into it. */
export type WorkedStreet = Pick<Street, 'isOn' | 'isCheating' | 'powerOn' | 'powerOff' | 'between' | 'cheat' | 'makeHonest' | 'stream'>
/** The market square, as far as hands reach into it. */
export type WorkedTown = Pick<Box, 'service' | 'others' | 'files' | 'setUplink'> & { readonly town: { readonly box: Host } }

export interface CommandParts {
  readonly scene: Pick<Scene, 'view'>
  readonly street: WorkedStreet
  readonly life: Pick<Life, 'addGuest'>
  /** Null until it has started. */
  readonly box: () => WorkedTown | null
  /** Which chapter is told now, or that none is. */
  readonly chapter: () => string
}

export function labCommands(parts: CommandParts): ReadonlyMap<string, Command> {
  const { scene, street, life } = parts
  const town = (): WorkedTown => {
    const box = parts.box()
    if (box === null) throw new Error('the town is still being built; ask again in a few seconds')
    return box
  }
  const power = new Power(town, street)
  const ids = (): string => power.ids().join(', ')
  const named = (words: readonly string[]): string => {
    const [id = ''] = words
    if (words.length !== 1 || !power.ids().includes(id)) throw new Error(`'${words.join(' ')}' is no box of this town; allowed: ${ids()}`)
    return id
  }
  const done = (text: string): string => {
    note(`[make lab] ${text}`)
    return text
  }
  const list: readonly (Command & { readonly verb: string })[] = [
    { verb: 'status', usage: 'status', help: 'who is there, what is earned', mayInterrupt: true, run: () => Promise.resolve(statusText(scene, parts.chapter())) },
    { verb: 'add-guest', usage: 'add-guest', help: 'one more guest comes and buys', mayInterrupt: false, run: async () => done((town(), await life.addGuest())) },
    {
      verb: 'cut-wan', usage: 'cut-wan', help: "pulls the market square's cable to the Internet", mayInterrupt: false,
      run: async () => {
        await town().setUplink('down')
        return done('the cable is out: guests with time go on, box1 and box2 have each other; after ten block times `meshbox channel status` says "off line"')
      },
    },
    {
      verb: 'kill', usage: 'kill BOX', help: `pulls the plug of a box (${ids()})`, mayInterrupt: false,
      run: async (words) => {
        const id = named(words)
        if (!power.isOn(id)) throw new Error(`${id} is off already; make lab ARGS="start ${id}"`)
        await power.off(id)
        return done(`${id} has no power; make lab ARGS="start ${id}"`)
      },
    },
    {
      verb: 'start', usage: 'start BOX', help: 'switches it on again', mayInterrupt: false,
      run: async (words) => {
        const id = named(words)
        if (power.isOn(id)) throw new Error(`${id} is on; make lab ARGS="kill ${id}" would pull its plug`)
        const from = performance.now()
        await power.on(id)
        return done(`${id} is on again after ${((performance.now() - from) / 1000).toFixed(1)} s`)
      },
    },
    {
      verb: 'cheat', usage: 'cheat', help: 'the mill counts three frames in ten', mayInterrupt: false,
      run: async () => {
        if (!street.isOn(CHEAT)) throw new Error(`${CHEAT} is off; make lab ARGS="start ${CHEAT}"`)
        if (street.isCheating(CHEAT)) throw new Error('the mill cheats already; make lab ARGS="heal" makes it honest')
        if ((await street.between(CARRIER, CHEAT))?.state !== 'running') throw new Error('the mill is not carried now; make lab ARGS="heal" makes the two begin anew')
        await street.cheat(CHEAT)
        void street.stream(CHEAT, 96 * 1_048_576, 1_048_576).catch(() => 0)
        note('[make lab] the mill sends, and lets its box count three frames in ten; watch the school')
        const caught = await waitFor('the school to see it', async () => ((one) => one?.state === 'ended' && one)(await street.between(CARRIER, CHEAT)), CAUGHT_WITHIN_MS)
        return done(`the mill is caught: the school has ended the carriage ("${caught.reason}") and shut its gate; make lab ARGS="heal" makes it honest`)
      },
    },
    {
      verb: 'heal', usage: 'heal', help: 'joins, switches on and makes honest whatever is not', mayInterrupt: false,
      run: async () => {
        const healed: string[] = []
        for (const id of power.ids().filter((one) => !power.isOn(one))) {
          await power.on(id)
          healed.push(`${id} is on`)
        }
        await town().setUplink('up')
        const carriage = await street.between(CARRIER, CHEAT)
        if (street.isCheating(CHEAT) || carriage?.state === 'ended') {
          await street.makeHonest(CHEAT)
          healed.push('the mill is honest, and carried again')
        }
        return done(['the cable is in', ...healed].join('; '))
      },
    },
  ]
  return new Map(list.map((command) => [command.verb, command.usage === command.verb ? alone(command) : command]))
}

/** Nothing stands behind its name. */
function alone(command: Command & { readonly verb: string }): Command {
  return {
    ...command,
    run: (words) => {
      if (words.length > 0) return Promise.reject(new Error(`'${words.join(' ')}' behind ${command.verb}: nothing is expected there`))
      return command.run(words)
    },
  }
}

/** Plugs. Bundled services are killed with their process; what guests' phones and the kernel's leases do then is theirs. */
class Power {
  readonly #town: () => WorkedTown
  readonly #street: WorkedStreet

  constructor(town: () => WorkedTown, street: WorkedStreet) {
    this.#town = town
    this.#street = street
  }

  ids(): readonly string[] {
    return ['box1', 'box2', 'hall', ...STREET]
  }

  isOn(id: string): boolean {
    if (isRoof(id)) return this.#street.isOn(id)
    const { process } = this.#serviceOf(id)
    return process.exitCode === null && process.signalCode === null
  }

  async off(id: string): Promise<void> {
    await (isRoof(id) ? this.#street.powerOff(id) : this.#serviceOf(id).crash())
  }

  async on(id: string): Promise<void> {
    if (isRoof(id)) return this.#street.powerOn(id)
    const box = this.#town()
    if (id === 'box1') {
      box.service = await startService(box.town.box, box.files)
      return
    }
    const other = box.others.get(id)
    if (other !== undefined) other.service = await startService(other.host, other.service.files)
  }

  #serviceOf(id: string): Box['service'] {
    const box = this.#town()
    const service = id === 'box1' ? box.service : box.others.get(id)?.service
    if (service === undefined) throw new Error(`${id} is not there yet: it comes in the chapter of payment channels`)
    return service
  }
}

const isRoof = (id: string): id is Roof => (STREET as readonly string[]).includes(id)

function statusText(scene: Pick<Scene, 'view'>, chapter: string): string {
  const { boxes, links, guests, figures } = scene.view
  const rows = Object.entries(boxes).map(([id, { name, state, earned, facts, isCheating }]) => [id, name, isCheating ? `${state}, cheats` : state, earned ?? '-', facts.join(', ')])
  const cut = Object.values(links).filter(({ state, from }) => state !== 'up' && !from.startsWith('g')).map(({ from, to, state }) => `${from}–${to}: ${state === 'down' ? 'cut' : 'gate shut'}`)
  return [
    `${chapter}; ${secondsSinceStart().toFixed(0)} s since the start; ${Object.entries(figures).map(([name, value]) => `${name} ${value}`).join(', ')}`,
    table([['box', 'name', 'state', 'earned', 'now'], ...rows]),
    `guests: ${Object.values(guests).map(({ name, note: what }) => `${name} (${what})`).join(', ') || 'none'}`,
    `links: ${cut.join(', ') || 'all up'}`,
  ].join('\n')
}
