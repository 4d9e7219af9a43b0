/**
 * `make run`. As root: a small town in network namespaces, the story of a box's first day, and then the
 * town stays up for the developer. Without root: the same service with a gate that only records.
 *   make run ARGS=--once      ends after the story
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { editUci, writeConfigFile, type UciEdit } from '../../src/config/index.ts'
import { TOWN, Town, isRoot, thisMachine } from '../../test/support/netns.ts'
import { boxFiles, socketRequest, startBoxDnsmasq, startInternet, startService, type BoxFiles, type Service } from '../../test/support/town-services.ts'
import { giveChain, tellOfChain } from './chain.ts'
import { tellOfChannels, type Village } from './photon.ts'
import { claim, fail, note, step } from './say.ts'
import { STORY_SECONDS, tellStory, type Box } from './story.ts'
import { MACHINE_AS_GUEST, OWNER_NET, ROOT, joinThisMachine, readState, removeFormerTown, removeState, writeState } from './town.ts'

const PASSWORD = 'meshbox-lab'
const HOST = 'wifi.meshbox.lan'
const once = process.argv.includes('--once')

if (readState()) {
  console.error('run: a town is running already; stop it with Ctrl-C in its terminal, or act in it with `make guest`')
  process.exit(1)
}
const dir = mkdtempSync(join(tmpdir(), 'meshbox-lab-'))
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
/** The first Ctrl-C ends the story too, and takes the town away. */
const untilStopped = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    stopped.then(() => {
      throw new Error('stopped')
    }),
  ])
const finished = await (isRoot() ? inTown() : onThisMachine()).then(
  () => true,
  (error: unknown) => {
    fail(error instanceof Error ? error.message : String(error))
    return false
  },
)
rmSync(dir, { recursive: true, force: true })
process.exit(finished ? 0 : 1)

async function inTown(): Promise<void> {
  await removeFormerTown()
  step('A town is built: two guests, a box, an Internet')
  const town = await Town.create({ guests: 2, addresses: 'dynamic' })
  let service: Service | undefined
  let village: Village | undefined
  try {
    await joinThisMachine(town)
    const files = boxFiles(dir)
    writeConfig(files, { ownerAddress: OWNER_NET.box, gate: 'nft' })
    await startInternet(town, dir)
    const chain = await giveChain(town.box, files, dir, OWNER_NET.box, TOWN.boxWan4)
    note(`namespaces ${town.prefix}-{g1,g2,box,net}`)

    step('The box starts')
    const from = performance.now()
    service = await startService(town.box, files)
    await startBoxDnsmasq(town, files)
    claim(`ready after ${(performance.now() - from).toFixed(0)} ms, dnsmasq for DHCP, DNS and router advertisements included`, true)
    const password = await socketRequest(files.socket, 'POST', '/api/password', { password: PASSWORD })
    claim('the owner has a password', password.status === 200, password.body)

    const box: Box = { town, files, portal: `http://${HOST}:2080/`, service, chain }
    try {
      await untilStopped(tellStory(box))
      village = await untilStopped(tellOfChannels(box))
    } finally {
      service = box.service
    }
    if (once) return
    writeState({ pid: process.pid, guests: town.guests.map((guest) => guest.ns.name), box: town.box.name })
    step('The town stays up. Ctrl-C ends it')
    note(`dashboard   http://${OWNER_NET.box}:2090/          password: ${PASSWORD}`)
    note(`JSON-RPC    ${chain.url}         chain id ${chain.chainId}, token VTK at ${chain.token}`)
    note(`guest page  http://${TOWN.box4}:2080/          (this machine is a guest too: ${MACHINE_AS_GUEST})`)
    note(`guest page of Anna's phone in a browser: make guest ARGS="1 chromium --no-sandbox http://shop.example/"`)
    note('act as a guest: make guest        (another terminal, as root)')
    note(`the box's own command line: ip netns exec ${town.box.name} ${join(ROOT, 'dist/meshbox')} --socket ${files.socket} status`)
    await stopped
  } catch (error) {
    if (service) note(`the service's last words:\n${service.log().split('\n').slice(-15).join('\n')}`)
    throw error
  } finally {
    removeState()
    for (const one of [service, village?.neighbour, village?.sealer]) await one?.stop()
    await town.destroy()
  }
}

async function onThisMachine(): Promise<void> {
  step('Not root: the same service on this machine, with a gate that only records')
  note('No kernel rules are made, nobody is cut off: pages, vouchers, sessions, ledger and dashboard are real. As root, `make run` builds the town.')
  const files = boxFiles(dir)
  writeConfig(files, { ownerAddress: '127.0.0.1', gate: 'record' })
  const chain = await giveChain(thisMachine, files, dir, '127.0.0.1', null)
  const service = await startService(thisMachine, files)
  try {
    await socketRequest(files.socket, 'POST', '/api/password', { password: PASSWORD })
    const made = await service.cli('voucher', 'create', 'minute', '3', '--codes')
    note(made.stdout.trimEnd())
    step('Its own chain, and a wallet')
    await tellOfChain(chain, service)
    step('It stays up. Ctrl-C ends it')
    note(`dashboard   http://127.0.0.1:2090/          password: ${PASSWORD}`)
    note('guest page  http://127.0.0.1:2080/')
    note(`JSON-RPC    ${chain.url}         chain id ${chain.chainId}, token VTK at ${chain.token}`)
    if (!once) await stopped
  } finally {
    await service.stop()
  }
}

/** configs/dev with the lab's folders and addresses. */
function writeConfig(files: BoxFiles, lab: { ownerAddress: string; gate: 'nft' | 'record' }): void {
  const set = (section: string, options: Readonly<Record<string, string>>): UciEdit[] =>
    Object.entries(options).map(([option, value]) => ({ do: 'set-option', section: { name: section }, option, value }))
  const edits: UciEdit[] = [
    ...set('main', { data_dir: files.dataDir, control_socket: files.socket }),
    ...set('token', { symbol: 'SMT' }),
    ...set('hotspot', { gate: lab.gate, portal_host: HOST }),
    ...set('owner', { address: lab.ownerAddress }),
    {
      do: 'add-section',
      section: { type: 'package', name: 'story', options: { slot: '15', label: `${STORY_SECONDS} seconds`, seconds: String(STORY_SECONDS), price: '0.05', offered: '0' } },
    },
  ]
  if (lab.gate === 'nft')
    edits.push(
      ...set('hotspot', {
        guest_interface: TOWN.guestInterface,
        dnsmasq_leases_file: files.leases,
        dnsmasq_conf_dir: files.confDir,
        dnsmasq_options_file: files.optionsFile,
        dnsmasq_pid_file: files.pidFile,
      }),
    )
  writeConfigFile(files.config, editUci(readFileSync(join(ROOT, 'configs/dev/meshbox'), 'utf8'), edits))
}
