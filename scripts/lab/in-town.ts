/** `make run` as root: the town is built, its story told, its books compared; then it lives on until Ctrl-C, or ends by itself. */
import { join } from 'node:path'
import { TOWN, Town } from '../../test/support/netns.ts'
import { CLI, boxFiles, socketRequest, startBoxDnsmasq, startInternet, startService, type Service } from '../../test/support/town-services.ts'
import { giveChain } from './chain.ts'
import { tellOfBooks, type KeptBooks } from './closing.ts'
import { labCommands } from './commands.ts'
import { Control } from './control.ts'
import { Dice } from './dice.ts'
import { HOST, PASSWORD, writeConfig } from './first-config.ts'
import { FieldLife } from './field-life.ts'
import { Life } from './life.ts'
import { LiveServer } from './live/server.ts'
import type { LabOptions } from './options.ts'
import { tellOfChannels } from './photon.ts'
import { claim, note, secondsSinceStart, step } from './say.ts'
import { Scene } from './scene.ts'
import { tellStory, type Box } from './story.ts'
import { storyPlan } from './story-plan.ts'
import { Street } from './street.ts'
import { tellOfStreet } from './street-story.ts'
import { MACHINE_AS_GUEST, OWNER_NET, joinThisMachine, removeFormerTown, removeState, writeState } from './town.ts'
import { Watcher, type WatchedBox } from './watcher.ts'

const MIB = 1_048_576
const MAX_MIB_OF_FOUR = 1_536
const PORTAL = `http://${HOST}:2080/`

/** `dir`: empties itself with its caller. `stopped`: Ctrl-C. `untilStopped`: rejects then. */
export async function runTown(dir: string, options: LabOptions, stopped: Promise<void>, untilStopped: <T>(work: Promise<T>) => Promise<T>): Promise<void> {
  await removeFormerTown()
  step('A town is built: two guests, a box, an Internet; a street of four roofs')
  const scene = new Scene()
  const live = await LiveServer.start(scene, options.seed)
  note(`live page   ${live.url}          seed ${options.seed}${options.isQuick ? ', quick' : ''}`)
  const closers: (() => Promise<unknown> | void)[] = [() => live.stop()]
  const plan = storyPlan(new Dice(options.seed))
  let box: Box | null = null
  let chapter = 'the town is being built'
  try {
    const town = await Town.create({ guests: 2, addresses: 'dynamic' })
    closers.push(() => town.destroy())
    await joinThisMachine(town)
    const files = boxFiles(dir)
    writeConfig(files, { ownerAddress: OWNER_NET.box, gate: 'nft' })
    await startInternet(town, dir)
    const [chain, street] = await Promise.all([giveChain(town.box, files, dir, OWNER_NET.box, TOWN.boxWan4), Street.create(join(dir, 'street'), town.prefix)])
    closers.push(() => street.destroy())
    note(`namespaces ${town.prefix}-{g1,g2,box,net,box4,box5,box6,box7}`)

    step('The box starts')
    const from = performance.now()
    const service = await startService(town.box, files)
    await startBoxDnsmasq(town, files)
    claim(`ready after ${(performance.now() - from).toFixed(0)} ms, dnsmasq for DHCP, DNS and router advertisements included`, true)
    const password = await socketRequest(files.socket, 'POST', '/api/password', { password: PASSWORD })
    claim('the owner has a password', password.status === 200, password.body)
    note(`the town was up ${secondsSinceStart().toFixed(0)} s after the lab's start (allowed: 60)`)
    scene.figure('up after', `${secondsSinceStart().toFixed(0)} s`)

    const setUplink = async (state: 'up' | 'down'): Promise<void> => {
      await town.setUplink(state)
      scene.link('wan', { state })
    }
    const mine: Box = (box = { town, files, portal: PORTAL, service, chain, options, plan, setUplink, others: new Map() })
    closers.push(async () => {
      for (const one of [mine.service, ...[...mine.others.values()].map((other) => other.service)]) if (isOn(one)) await one.stop()
    })
    drawTown(scene, mine)
    const remember = (): void => writeState({ pid: process.pid, guests: town.guests.map((guest) => guest.ns.name), box: town.box.name, control: join(dir, 'lab.sock'), live: live.url })
    const life = new Life({ town, street, plan, dice: new Dice(options.seed), portal: PORTAL, box: () => (isOn(mine.service) ? mine.service : null), onGuest: remember })
    const watcher = new Watcher(scene, { boxes: watchedBoxes(mine, scene), street: () => street, nameOf: (mac) => life.nameOf(mac), guests: () => life.guests() })
    watcher.start()
    closers.push(() => watcher.stop())
    let isTelling = true
    const control = await Control.start(join(dir, 'lab.sock'), labCommands({ scene, street, life, box: () => box, chapter: () => chapter }), () => isTelling)
    closers.push(() => control.stop())
    remember()

    chapter = 'the story is being told'
    await untilStopped(tellStory(mine))
    const field = await untilStopped(tellOfChannels(mine, () => tellOfStreet(street, plan)))
    closers.push(() => field?.close())
    const compare = (): Promise<void> => tellOfBooks(bookkeepers(mine), street)
    await untilStopped(compare())
    const peak = watcher.peakOfFour / MIB
    claim(`the four greatest of its ${watchedIds(mine)} boxes took at most ${peak.toFixed(0)} MiB of memory together (allowed: ${MAX_MIB_OF_FOUR})`, peak > 0 && peak <= MAX_MIB_OF_FOUR)
    if (options.isOnce) return
    isTelling = false
    chapter = 'the town lives'
    sayAddresses(live.url, mine)
    const fieldLife = field === null ? null : new FieldLife(field, new Dice(options.seed))
    life.start()
    fieldLife?.start()
    await stopped
    fieldLife?.stop()
    await life.stop()
    await compare()
  } catch (error) {
    if (box !== null) note(`the service's last words:\n${box.service.log().split('\n').slice(-15).join('\n')}`)
    throw error
  } finally {
    removeState()
    for (const close of closers.toReversed()) await close()
  }
}

const isOn = ({ process }: Service): boolean => process.exitCode === null && process.signalCode === null

/** All that run the whole service. */
function bookkeepers({ service, others }: Box): ReadonlyMap<string, KeptBooks> {
  const all = [['box1', 'Corner café', service] as const, ...[...others].map(([id, other]) => [id, other.name, other.service] as const)]
  return new Map(all.map(([id, name, one]) => [id, { name, service: isOn(one) ? one : null }]))
}

/** The service's boxes, and the four of the street. */
const watchedIds = (box: Box): number => 1 + box.others.size + 4

const ROLES = { box2: ['Next door', 'has a channel'], hall: ['Village hall', 'seals the chain'] } as const

function watchedBoxes(box: Box, scene: Scene): ReadonlyMap<string, WatchedBox> {
  const boxes = new Map<string, WatchedBox>([['box1', { name: 'Corner café', role: 'sells minutes', service: () => box.service }]])
  const set = box.others.set.bind(box.others)
  box.others.set = (id, other) => {
    const [name, role] = ROLES[id as keyof typeof ROLES]
    boxes.set(id, { name, role, service: () => box.others.get(id)?.service ?? null })
    if (id === 'hall') scene.link('hall', { from: 'hall', to: 'internet', kind: 'wan', state: 'up' })
    else {
      scene.link('box2', { from: 'box2', to: 'box1', kind: 'mesh', state: 'up' })
      scene.link('field', { from: 'field', to: 'box1', kind: 'lora', state: 'up' })
    }
    return set(id, other)
  }
  return boxes
}

function drawTown(scene: Scene, box: Box): void {
  scene.link('wan', { from: 'box1', to: 'internet', kind: 'wan', state: 'up' })
  scene.link('way-out', { from: 'box6', to: 'internet', kind: 'wan', state: 'up' })
  for (const [id, name, role] of [['box4', 'Baker', 'is carried'], ['box5', 'School roof', 'carries for both'], ['box6', 'Harbour', 'way out'], ['box7', 'Mill', 'is carried']] as const) scene.box(id, { name, role, state: 'starting' })
  scene.figure('seed', String(box.options.seed))
}

function sayAddresses(liveUrl: string, { town, chain, files, plan }: Box): void {
  step('The town stays up and lives on. Ctrl-C ends it')
  note(`live page   ${liveUrl}`)
  note(`dashboard   http://${OWNER_NET.box}:2090/          password: ${PASSWORD}`)
  note(`JSON-RPC    ${chain.url}         chain id ${chain.chainId}, token VTK at ${chain.token}`)
  note(`guest page  http://${TOWN.box4}:2080/          (this machine is a guest too: ${MACHINE_AS_GUEST})`)
  note(`guest page of ${plan.her}'s phone in a browser: make guest ARGS="1 chromium --no-sandbox http://shop.example/"`)
  note('act as a guest: make guest        (another terminal, as root)')
  note('interfere: make lab ARGS="cut-wan"   or: kill box2, start box2, add-guest, cheat, heal, status')
  note(`the box's own command line: MESHBOX_NODE=${process.execPath} ip netns exec ${town.box.name} ${CLI} --socket ${files.socket} status`)
}
