/**
 * Two access boxes with the bundled service in one emulated machine, on real batman-adv with a plain box between them, and a guest's phone
 * whose cable goes from one bridge into the other (guest/walk.sh). Each box has a gate of its own: `roam_enforcement 'access'`.
 * The machine has its own time, so that the services' limits of time hold.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle } from '../../scripts/bundle.ts'
import { imageOf } from '../../qemu/image.ts'
import { architectureNamed } from '../../qemu/image/architectures.ts'
import { ROOT, say } from '../../qemu/image/places.ts'
import { GuestError, Machine } from '../../qemu/runner/machine.ts'
import type { Job } from '../../qemu/runner/machine.ts'
import { editUci, formatUci } from '../../src/config/index.ts'
import { boxConfig } from '../support/box-config.ts'
import { MESH, foundCommunity, meshSection } from '../support/mesh-town.ts'
import type { MeshHome } from '../support/mesh-town.ts'
import { TOWN } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import { boxFiles, waitFor } from '../support/town-services.ts'
import type { BoxFiles } from '../support/town-services.ts'
import { MachineNamespace } from './guest-namespace.ts'

const TARGET = 'arm64-gnu'
/** Two services. */
const MEMORY_MEGABYTES = 1024
const IN_GUEST = '/root/walk'
const WALKER = { mac: '02:00:00:00:00:77', ip4: '10.77.0.77' } as const
/** Of package `long`: no end of it while the machine is busy. */
export const BOUGHT_SECONDS = 36_000
/** Bounds against hanging on a busy machine, not measures. */
export const PATIENCE_MS = 900_000
const BOOT_SECONDS = 900
const CLI_SECONDS = 600
const LIFE_SECONDS = 10_000

export type Site = 'ours' | 'theirs'

const SITES = ['ours', 'theirs'] as const
const WAN4: Readonly<Record<Site, string>> = { ours: TOWN.boxWan4, theirs: MESH.theirWan4 }

export class EmulatedWalk {
  readonly phone: Phone
  /** The boxes' addresses. */
  readonly boxes: Readonly<Record<Site, string>>
  readonly #machine: Machine
  readonly #folder: string
  #at: Site = 'ours'
  #pings: Job | null = null
  /** What is added to the guest's uptime to have its wall clock, seconds. */
  #bootedAt = 0

  private constructor(machine: Machine, folder: string, boxes: Readonly<Record<Site, string>>) {
    this.#machine = machine
    this.#folder = folder
    this.boxes = boxes
    this.phone = new Phone({ index: 1, ns: new MachineNamespace(machine, 'walker'), port: 'walker', ip6: '', ...WALKER })
  }

  /** The boxes have met over the mesh when it resolves. */
  static async create(): Promise<EmulatedWalk> {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
    let machine: Machine | null = null
    try {
      await bundle({ target: TARGET, out: join(folder, 'dist'), say: () => undefined })
      machine = await Machine.boot({ image: await imageOf(architectureNamed('arm64')), folder, memoryMegabytes: MEMORY_MEGABYTES, hasOwnTime: true, processors: 1, bootSeconds: BOOT_SECONDS })
      const walk = new EmulatedWalk(machine, folder, await furnish(machine, folder))
      walk.#bootedAt = Number(await machine.sh(`node -p 'Date.now() / 1000 - Number(require("fs").readFileSync("/proc/uptime", "utf8").split(" ")[0])'`))
      await Promise.all(SITES.map((site) => walk.#serve(site)))
      await walk.#haveMet()
      return walk
    } catch (error) {
      await machine?.cut()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** `meshbox ... --json` at a box. */
  async cli<T>(site: Site, ...words: string[]): Promise<T> {
    return JSON.parse(await this.#machine.sh(`ip netns exec ${site} env MESHBOX_NODE=node ${IN_GUEST}/dist/meshbox --socket ${IN_GUEST}/${site}/control.sock --json ${words.join(' ')}`, CLI_SECONDS)) as T
  }

  /** The phone says something each 100 ms from now on. */
  talk(): void {
    this.#pings = this.#machine.start(`exec ip netns exec walker ping -n -D -i 0.1 ${TOWN.internet4}`, LIFE_SECONDS)
  }

  /** To the other box; resolves with how long it took until something came back from the Internet, ms. */
  async walk(): Promise<number> {
    const from = this.#at
    const to = (this.#at = from === 'ours' ? 'theirs' : 'ours')
    const arrivedAt = this.#bootedAt + Number(await this.#machine.sh(`${variables()} sh /host/walk.sh walk ${from} ${to} ${WAN4[to]}`))
    const answered = await waitFor(`the guest to go on at ${to}`, () => this.#answers().find((at) => at > arrivedAt), PATIENCE_MS).catch(async (error: unknown) => {
      throw new Error(await this.lastWords(), { cause: error })
    })
    return (answered - arrivedAt) * 1000
  }

  hasAnswer(): boolean {
    return this.#answers().length > 0
  }

  /** What the services said last. */
  lastWords(): Promise<string> {
    return this.#machine.sh(`tail -n 60 ${SITES.map((site) => `${IN_GUEST}/${site}/log`).join(' ')}`)
  }

  /** By batctl: does the way of `site` to the other access box lead over another box? False: there is no way yet. */
  async leadsOverAnother(site: Site): Promise<boolean> {
    const other = (await this.#machine.sh(`ip netns exec ${site === 'ours' ? 'theirs' : 'ours'} cat /sys/class/net/to-middle/address`)).trim()
    const rows = JSON.parse(await this.#machine.sh(`ip netns exec ${site} batctl meshif bat0 originators_json`)) as readonly { readonly orig_address: string; readonly neigh_address: string; readonly best?: boolean }[]
    return rows.some((row) => row.best === true && row.orig_address === other && row.neigh_address !== other)
  }

  async remove(): Promise<void> {
    await this.#machine.cut()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Seconds of the guest's wall clock at which something came back. */
  #answers(): readonly number[] {
    if (this.#pings === null) throw new GuestError('the phone says nothing: talk() first')
    if (!existsSync(this.#pings.stdoutFile)) return [] // the guest's shell has not begun it yet
    return [...readFileSync(this.#pings.stdoutFile, 'utf8').matchAll(/^\[(\d+\.\d+)\] \d+ bytes/gm)].map(([, seconds]) => Number(seconds))
  }

  async #serve(site: Site): Promise<void> {
    const log = `${IN_GUEST}/${site}/log`
    const job = this.#machine.start(`exec ip netns exec ${site} env MESHBOX_NODE=node ${IN_GUEST}/dist/meshboxd --config ${IN_GUEST}/${site}/meshbox > ${log} 2>&1`, LIFE_SECONDS)
    let ended: string | null = null
    void job.finished.then(({ code }) => (ended = `the service ended with ${code}`), (error: unknown) => (ended = String(error)))
    await waitFor(
      `the service of ${site} to be ready`,
      async () => {
        if (ended !== null) throw new GuestError(`${ended}: ${await this.lastWords()}`)
        return (await this.#machine.exec(`grep -q sinceStartMs ${log} || { sleep 1; false; }`)).code === 0
      },
      PATIENCE_MS,
    )
  }

  async #haveMet(): Promise<void> {
    const knows = async (site: Site): Promise<boolean> => {
      const { peers } = await this.cli<{ readonly peers: readonly { readonly isConnected: boolean; readonly standing: string }[] }>(site, 'mesh', 'peers')
      return peers.some(({ isConnected, standing }) => isConnected && (standing === 'admitted' || standing === 'provisional'))
    }
    await waitFor('the boxes to know each other', async () => (await knows('ours')) && (await knows('theirs')), PATIENCE_MS).catch(async (error: unknown) => {
      throw new Error(await this.lastWords(), { cause: error })
    })
    say('walk: the boxes have met over batman-adv')
  }
}

/** The bundle, both boxes' files and the street (walk.sh) in the machine. Gives the boxes' addresses. */
async function furnish(machine: Machine, folder: string): Promise<Readonly<Record<Site, string>>> {
  const files: Readonly<Record<Site, BoxFiles>> = { ours: boxFiles(join(folder, 'ours')), theirs: boxFiles(join(folder, 'theirs')) }
  const [ours, theirs] = await foundCommunity(files.ours, files.theirs)
  const shared = join(machine.share, 'walk')
  mkdirSync(shared)
  for (const [site, home, name] of [['ours', ours, 'Corner café'], ['theirs', theirs, 'Harbour']] as const) {
    writeFileSync(files[site].config, configOf(filesInGuest(site), home, name))
    cpSync(files[site].dir, join(shared, site), { recursive: true })
  }
  cpSync(join(folder, 'dist'), join(shared, 'dist'), { recursive: true })
  copyFileSync(join(ROOT, 'test/qemu/guest/walk.sh'), join(machine.share, 'walk.sh'))
  await machine.sh(`cp -r /host/walk ${IN_GUEST} && chmod -R go-rwx ${IN_GUEST}/*/data && modprobe batman-adv && ${variables()} sh /host/walk.sh build`, CLI_SECONDS)
  return { ours: ours.box, theirs: theirs.box }
}

/** Where the files of a box lie in the guest. */
function filesInGuest(site: Site): BoxFiles {
  const dir = `${IN_GUEST}/${site}`
  return { dir, leases: `${dir}/dhcp.leases`, confDir: `${dir}/dnsmasq.d`, optionsFile: `${dir}/dhcp-options`, pidFile: `${dir}/dnsmasq.pid`, dataDir: `${dir}/data`, socket: `${dir}/control.sock`, config: `${dir}/meshbox` }
}

function configOf(files: BoxFiles, home: MeshHome, name: string): string {
  const config = editUci(boxConfig(files, { main: { name, clock_trust: 'always' } }), [
    { do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'relay'] },
    { do: 'set-option', section: { name: 'long' }, option: 'seconds', value: String(BOUGHT_SECONDS) },
  ])
  return `${config}\n${formatUci([meshSection(home, { interface: 'bat0' })])}`
}

/** For walk.sh. */
function variables(): string {
  const all = {
    ...{ BRIDGE: TOWN.guestInterface, WAN: TOWN.wanInterface, ROUTER4: TOWN.box4, ROUTER_MAC: '02:00:00:00:00:01', GUESTS4: TOWN.guestNet4 },
    ...{ OURS6: MESH.ours6, OURS_WAN4: TOWN.boxWan4, INTERNET4: TOWN.internet4, THEIRS6: MESH.theirs6, THEIRS_WAN4: MESH.theirWan4, THEIRS_INTERNET4: MESH.internet4 },
    ...{ WALKER_MAC: WALKER.mac, WALKER4: WALKER.ip4 },
  }
  return Object.entries(all).map(([name, value]) => `${name}=${value}`).join(' ')
}
