/**
 * `make run` without root: two boxes of the same bundled service on this machine's loopback addresses, each with its own ports. The chain, payment
 * channels, sensors, a rule, a tenant who is billed and pays are real; what needs the kernel is said to be missing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEther } from 'ethers'
import { editUci, formatUci, writeConfigFile, type PlainSection, type UciEdit } from '../../src/config/index.ts'
import { thisMachine } from '../../test/support/netns.ts'
import { OwnerWallet, WRAPPED, channelSection, channelsOf, firstStart, homeOf, neighbourConfig, photonState, photonStatus, peerAt, type Home } from '../../test/support/photon-village.ts'
import { CLI, boxFiles, socketRequest, startService, waitFor, type Service } from '../../test/support/town-services.ts'
import { LabBroker } from './broker.ts'
import { giveChain, ownerKey, providerOf, tellOfChain, type LabChain } from './chain.ts'
import { withoutDays } from './book.ts'
import { tellOfBooks } from './closing.ts'
import { Dice } from './dice.ts'
import { FieldLife } from './field-life.ts'
import { PASSWORD, writeConfig } from './first-config.ts'
import { Field, SOIL_TOPIC, iotSection, tellOfSensors, type FieldParts } from './iot.ts'
import { LiveServer } from './live/server.ts'
import type { LabOptions } from './options.ts'
import { order } from './order.ts'
import { claim, note, step } from './say.ts'
import { Scene } from './scene.ts'
import { storyPlan } from './story-plan.ts'
import { Watcher } from './watcher.ts'

const [OURS, NEXT_DOOR] = ['127.0.0.1', '127.0.0.2']
/** UDP; packet forwarders are heard at 1700. */
const SERVER_PORT = 1_702
const PATIENCE_MS = 300_000
const MISSING = 'Not root, so there is no town: no Wi-Fi, no nftables rules (nobody is cut off), no network namespaces, no mesh, and no cable to pull. Two boxes on this machine, their chain, channel, sensors and money are real. As root, `make run` builds the town.'

/** `dir`: empties itself with its caller. `stopped`: Ctrl-C. `untilStopped`: rejects then. */
export async function runOnThisMachine(dir: string, options: LabOptions, stopped: Promise<void>, untilStopped: <T>(work: Promise<T>) => Promise<T>): Promise<void> {
  step('Not root: the same service on this machine, with a gate that only records')
  note(MISSING)
  const closers: (() => Promise<unknown> | void)[] = []
  const boxes = new Map<'box1' | 'box2', Service>()
  try {
    const scene = new Scene(MISSING)
    const live = await LiveServer.start(scene, options.seed)
    closers.push(() => live.stop())
    note(`live page   ${live.url}          seed ${options.seed}`)
    const broker = await LabBroker.start()
    closers.push(() => broker.stop())
    closers.push(async () => {
      for (const service of [...boxes.values()]) await service.stop()
    })
    scene.figure('seed', String(options.seed))
    const plan = storyPlan(new Dice(options.seed))

    const files = boxFiles(join(dir, 'ours'))
    writeConfig(files, { ownerAddress: OURS, gate: 'record' })
    const chain = await untilStopped(giveChain(thisMachine, files, dir, OURS, OURS))
    const [ours, theirs] = [await homeOf(files, OURS), await untilStopped(firstStart(thisMachine, join(dir, 'next-door'), NEXT_DOOR))]
    switchOn(ours, theirs, broker.url)
    writeFileSync(theirs.files.config, formatUci(neighbourConfig(theirs, chain.network, ours, ours).map(nextDoors)))
    const service = await startService(thisMachine, files)
    boxes.set('box1', service)
    const watcher = new Watcher(scene, {
      boxes: new Map([
        ['box1', { name: 'Corner café', role: 'seals, hears sensors', service: () => boxes.get('box1') ?? null }],
        ['box2', { name: 'Next door', role: 'pays for its meter', service: () => boxes.get('box2') ?? null }],
      ]),
      street: () => null, nameOf: () => null, guests: () => [],
    })
    watcher.start()
    closers.push(() => watcher.stop())
    await socketRequest(files.socket, 'POST', '/api/password', { password: PASSWORD })
    note((await service.cli('voucher', 'create', 'minute', '3', '--codes')).stdout.trimEnd())
    step('Its own chain, and a wallet')
    await untilStopped(tellOfChain(chain, service, plan.him))

    step('A second box, next door, opens a payment channel to it')
    const neighbour = await startService(thisMachine, theirs.files)
    boxes.set('box2', neighbour)
    scene.link('box2', { from: 'box2', to: 'box1', kind: 'mesh', state: 'up' })
    await untilStopped(openChannel(chain, service, neighbour, ours, theirs))
    const parts: FieldParts = {
      box: thisMachine, service: () => service, nextDoor: thisMachine, neighbour: () => neighbour, ours, theirs, server: { address: OURS, port: SERVER_PORT },
      heardElsewhere: async () => `and a broker (aedes, in this program) has it for everybody who listens there: ${SOIL_TOPIC} ${await waitFor('the reading at the broker', () => broker.newest(SOIL_TOPIC), PATIENCE_MS)}`,
    }
    const field = await Field.open(parts)
    closers.push(() => field.close())
    scene.link('field', { from: 'field', to: 'box1', kind: 'lora', state: 'up' })
    await untilStopped(tellOfSensors(field, parts, plan))
    note((await service.cli('tenant', 'show', 'next-door')).stdout.trimEnd())
    note(withoutDays((await service.cli('earnings')).stdout))
    await untilStopped(tellOfBooks(new Map([['box1', { name: 'Corner café', service }], ['box2', { name: 'Next door', service: neighbour }]]), null))

    step('It stays up. Ctrl-C ends it')
    note(`live page   ${live.url}`)
    note(`dashboard   http://${OURS}:2090/          password: ${PASSWORD}`)
    note(`guest page  http://${OURS}:2080/`)
    note(`JSON-RPC    ${chain.url}         chain id ${chain.chainId}, token VTK at ${chain.token}`)
    note(`MQTT        ${broker.url}         topics meshbox/#, no password`)
    note(`command line of the box: MESHBOX_NODE=${process.execPath} ${CLI} --socket ${files.socket} lora readings field-3`)
    note('the field goes on: the probe speaks, the meter’s frames are sold and paid')
    if (options.isOnce) return
    const life = new FieldLife(field, new Dice(options.seed))
    life.start()
    await stopped
    life.stop()
  } catch (error) {
    for (const [id, service] of boxes) note(`last words of ${id}:\n${service.log().split('\n').slice(-10).join('\n')}`)
    throw error
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}

/** What README's "Paid by the second" and "Sensors" have the owner type with uci. */
function switchOn(ours: Home, theirs: Home, brokerUrl: string): void {
  const edits: UciEdit[] = [
    { do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'sealer', 'photon', 'iot'] },
    { do: 'add-section', section: channelSection({ listen_address: OURS, peers: [peerAt(theirs)] }) },
    iotSection(ours.files, brokerUrl),
  ]
  writeConfigFile(ours.files.config, editUci(readFileSync(ours.files.config, 'utf8'), edits))
}

/** The two boxes share this machine: each has its own loopback address. */
function nextDoors(section: PlainSection): PlainSection {
  if (section.type === 'owner') return { ...section, options: { ...section.options, address: NEXT_DOOR } }
  return section.type === 'meshbox' ? { ...section, options: { ...section.options, name: 'Next door' } } : section
}

async function openChannel(chain: LabChain, service: Service, neighbour: Service, ours: Home, theirs: Home): Promise<void> {
  const provider = providerOf(chain)
  try {
    const owner = new OwnerWallet(ownerKey(provider))
    await owner.sendCoins([ours.account, theirs.account], '21')
    note('waiting until both boxes see the chain 17 blocks deep: some 40 seconds')
    await Promise.all([photonState('our box', service, 'ready', PATIENCE_MS), photonState('the box next door', neighbour, 'ready', PATIENCE_MS)])
    await waitFor('the coins', async () => parseEther((await photonStatus(neighbour)).gas?.text ?? '0') >= parseEther('21'), PATIENCE_MS)
    await must(neighbour, 'channel', 'wrap', '20')
    await waitFor('the tokens', async () => (await owner.tokensOf(theirs.account)) === parseEther('20'), PATIENCE_MS)
    await must(neighbour, 'channel', 'open', ours.account, '20', '--core')
    const [channel] = await waitFor('the channel at both ends', async () => {
      const lists = await Promise.all([neighbour, service].map(channelsOf))
      return lists.every(([one]) => one !== undefined && one.phase === 'opened' && one.isConnected) && lists[0]
    }, PATIENCE_MS)
    claim(`the box next door (${NEXT_DOOR}) has put ${channel?.own.spendable.text} SMT into a channel to ours (token ${WRAPPED})`, channel?.own.spendable.text === '20')
  } finally {
    provider.destroy()
  }
}

async function must(service: Service, ...words: string[]): Promise<void> {
  await order(service, words)
  note(`(next door) meshbox ${words.join(' ')}`)
}
