/** `make lab`: what is understood, what is refused and why, and what is done to whom. */
import { describe, expect, it } from 'vitest'
import { labCommands, type WorkedStreet } from '../../../scripts/lab/commands.ts'
import { obey, type Answer } from '../../../scripts/lab/control.ts'
import { Scene } from '../../../scripts/lab/scene.ts'
import type { Roof, RoofCarriage } from '../../../scripts/lab/street.ts'

/** A street of plugs and one carriage, without any box. */
class PaperStreet implements WorkedStreet {
  readonly did: string[] = []
  readonly #off = new Set<Roof>()
  #cheats = false
  carriage: RoofCarriage | null = { carrier: 'school', client: 'mill', state: 'running', reason: null, owed: '0', paid: '0', lastBytes: { up: '0', down: '0' } }

  isOn(name: Roof): boolean {
    return !this.#off.has(name)
  }
  isCheating(name: Roof): boolean {
    return name === 'box7' && this.#cheats
  }
  async powerOn(name: Roof): Promise<void> {
    this.#off.delete(name)
    this.did.push(`on ${name}`)
  }
  async powerOff(name: Roof): Promise<void> {
    this.#off.add(name)
    this.did.push(`off ${name}`)
  }
  async between(): Promise<RoofCarriage | null> {
    return this.carriage
  }
  async cheat(name: Roof): Promise<void> {
    this.#cheats = true
    this.did.push(`cheat ${name}`)
    if (this.carriage !== null) this.carriage = { ...this.carriage, state: 'ended', reason: 'the counts differ' }
  }
  async makeHonest(name: Roof): Promise<void> {
    this.#cheats = false
    this.did.push(`honest ${name}`)
  }
  async stream(): Promise<number> {
    return 0
  }
}

function town(isTelling = false): { readonly street: PaperStreet; readonly scene: Scene; say(line: string): Promise<Answer> } {
  const [street, scene] = [new PaperStreet(), new Scene()]
  const commands = labCommands({ scene, street, life: { addGuest: async () => 'Dora has come' }, box: () => null, chapter: () => 'the town lives' })
  return { street, scene, say: (line) => obey(line, commands, isTelling) }
}

describe('a line', () => {
  it('that is empty or asks for help is answered with all commands', async () => {
    const { say } = town()
    for (const line of ['', '   ', 'help']) {
      const { ok, text } = await say(line)
      expect(ok).toBe(true)
      for (const verb of ['status', 'add-guest', 'cut-wan', 'kill BOX', 'start BOX', 'cheat', 'heal']) expect(text).toContain(verb)
    }
  })

  it('that nobody knows is refused with what is allowed', async () => {
    expect(await town().say('burn box2')).toMatchObject({ ok: false, text: expect.stringMatching(/no command 'burn'; allowed:\n {2}status/) as string })
  })

  it('with words where none stand, or a box that is not there, does nothing', async () => {
    const { street, say } = town()
    expect(await say('heal now')).toEqual({ ok: false, text: "heal: 'now' behind heal: nothing is expected there" })
    expect(await say('kill')).toMatchObject({ ok: false, text: expect.stringContaining("'' is no box of this town; allowed: box1, box2, hall, box4, box5, box6, box7") as string })
    expect(await say('kill box9')).toMatchObject({ ok: false, text: expect.stringContaining("'box9' is no box") as string })
    expect(await say('kill box4 box5')).toMatchObject({ ok: false, text: expect.stringContaining("'box4 box5' is no box") as string })
    expect(street.did).toEqual([])
  })

  it('that breaks things waits for the end of the story; status does not', async () => {
    const { street, say } = town(true)
    for (const line of ['kill box4', 'start box4', 'cheat', 'heal', 'cut-wan', 'add-guest']) expect(await say(line)).toMatchObject({ ok: false, text: expect.stringContaining('would break the story') as string })
    expect((await say('status')).ok).toBe(true)
    expect(street.did).toEqual([])
  })

  it('about the market square, before that is built, is told to come again', async () => {
    for (const line of ['add-guest', 'cut-wan', 'kill box2']) expect(await town().say(line)).toMatchObject({ ok: false, text: expect.stringContaining('the town is still being built') as string })
  })
})

describe('hands', () => {
  it('pull a plug once and put it in once', async () => {
    const { street, say } = town()
    expect(await say('start box4')).toMatchObject({ ok: false, text: expect.stringContaining('box4 is on') as string })
    expect(await say('kill box4')).toMatchObject({ ok: true, text: expect.stringContaining('box4 has no power') as string })
    expect(await say('kill box4')).toMatchObject({ ok: false, text: expect.stringContaining('box4 is off already') as string })
    expect(await say('start box4')).toMatchObject({ ok: true, text: expect.stringContaining('box4 is on again') as string })
    expect(street.did).toEqual(['off box4', 'on box4'])
  })

  it('cheat until they are caught, and only where somebody carries', async () => {
    const { street, say } = town()
    expect(await say('cheat')).toMatchObject({ ok: true, text: expect.stringContaining('("the counts differ")') as string })
    expect(await say('cheat')).toMatchObject({ ok: false, text: expect.stringContaining('cheats already') as string })
    await street.makeHonest('box7')
    expect(await say('cheat')).toMatchObject({ ok: false, text: expect.stringContaining('not carried now') as string })
    await say('kill box7')
    expect(await say('cheat')).toMatchObject({ ok: false, text: expect.stringContaining('box7 is off') as string })
  })
})

it('status: boxes, guests and what is cut, as the map has it', async () => {
  const { scene, say } = town()
  scene.box('box5', { name: 'School roof', role: 'carries for both', state: 'on', earned: '450 units', facts: ['asks 150 a MiB'] })
  scene.box('box7', { name: 'Mill', state: 'on', isCheating: true })
  scene.guest('g1', { name: 'Anna', state: 'online', note: '20 s left' })
  scene.link('wan', { from: 'box1', to: 'internet', kind: 'wan', state: 'down' })
  scene.link('box7-box5', { from: 'box7', to: 'box5', kind: 'mesh', state: 'shut' })
  scene.link('wifi-g1', { from: 'g1', to: 'box1', kind: 'mesh', state: 'shut' })
  scene.figure('block', '12')
  const { text } = await say('status')
  expect(text).toMatch(/^the town lives; \d+ s since the start; block 12\n/)
  expect(text).toMatch(/box5 +School roof +on +450 units +asks 150 a MiB/)
  expect(text).toMatch(/box7 +Mill +on, cheats +-/)
  expect(text).toContain('guests: Anna (20 s left)')
  expect(text).toContain('links: box1–internet: cut, box7–box5: gate shut')
  scene.link('wan', { state: 'up' })
  scene.link('box7-box5', { state: 'up' })
  scene.guest('g1', null)
  expect((await say('status')).text).toContain('guests: none\nlinks: all up')
})
