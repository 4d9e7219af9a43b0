/**
 * The town with a second box next door: two bundled services of one community with gates of their own, one link between them, and one
 * phone whose cable is put from one box's bridge into the other's, as a guest walks. Both bridges show it the same router.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { editUci, formatUci, type PlainSection } from '../../src/config/index.ts'
import { boxConfig } from './box-config.ts'
import { MESH, addWayOut, foundCommunity, meshSection, nameOnLink, plugIn, type MeshHome } from './mesh-town.ts'
import { TOWN, Town, type GuestHost, type Namespace } from './netns.ts'
import { Phone } from './phone.ts'
import { boxFiles, startInternet, startService, waitFor, type BoxFiles, type Service } from './town-services.ts'

/** The page of whichever box the phone is at. */
export const HOME = `http://${TOWN.box4}:2080/`

export interface Site {
  readonly ns: Namespace
  readonly files: BoxFiles
  /** The way to it from the Internet. */
  readonly wan4: string
  service: Service
}

/** What both boxes have beside their hotspot and their mesh. */
export interface MoreRooms {
  readonly roles: readonly string[]
  readonly sections: readonly PlainSection[]
  readonly mesh: Readonly<Record<string, string>>
}

/** Before the boxes' first start, when they have their keys. What it starts in the town ends with it. */
type Prepare = (town: Town, dir: string, ours: BoxFiles, theirs: BoxFiles) => Promise<MoreRooms>

export class WalkingTown {
  readonly town: Town
  readonly ours: Site
  readonly theirs: Site
  readonly phone: Phone
  readonly #dir: string
  #at: Site

  private constructor(town: Town, ours: Site, theirs: Site, phone: Phone, dir: string) {
    this.town = town
    this.ours = this.#at = ours
    this.theirs = theirs
    this.phone = phone
    this.#dir = dir
  }

  /** The boxes have met when it resolves. */
  static async create(prepare: Prepare = () => Promise.resolve({ roles: [], sections: [], mesh: {} })): Promise<WalkingTown> {
    const dir = mkdtempSync(join(tmpdir(), 'meshbox-walk-'))
    const town = await Town.create({ guests: 1, addresses: 'static' })
    try {
      const next = await town.addNeighbour()
      await nameOnLink(town, next)
      const mac = (await town.box.must('cat', `/sys/class/net/${TOWN.guestInterface}/address`)).trim()
      await town.box.ip('link', 'set', TOWN.guestInterface, 'address', mac) // stays what it is, whatever port comes or goes
      await furnish(town, next, mac)
      await startInternet(town, dir)
      const [oursFiles, theirsFiles] = [boxFiles(join(dir, 'ours')), boxFiles(join(dir, 'theirs'))]
      const [founder, member] = await foundCommunity(oursFiles, theirsFiles)
      const more = await prepare(town, dir, oursFiles, theirsFiles)
      writeFileSync(oursFiles.config, configOf(oursFiles, founder, 'Corner café', more))
      writeFileSync(theirsFiles.config, configOf(theirsFiles, member, 'Harbour', more))
      const [oursService, theirsService] = await Promise.all([startService(town.box, oursFiles), startService(next, theirsFiles)])
      const [guest] = town.guests
      if (guest === undefined) throw new Error('no guest')
      guest.ns.setResolver(TOWN.box4)
      const walking = new WalkingTown(town, { ns: town.box, files: oursFiles, wan4: TOWN.boxWan4, service: oursService }, { ns: next, files: theirsFiles, wan4: MESH.theirWan4, service: theirsService }, new Phone(guest), dir)
      await walking.haveMet()
      return walking
    } catch (error) {
      await town.destroy()
      rmSync(dir, { recursive: true, force: true })
      throw error
    }
  }

  haveMet(): Promise<unknown> {
    return waitFor(
      'the boxes to know each other',
      async () => {
        const peers = await Promise.all([this.ours, this.theirs].map(({ service }) => service.cliJson<{ readonly peers: readonly { readonly isConnected: boolean; readonly standing: string }[] }>('mesh', 'peers')))
        return peers.every((answer) => answer.peers.some(({ isConnected, standing }) => isConnected && (standing === 'admitted' || standing === 'provisional')))
      },
      60_000,
    )
  }

  /** Out of one bridge, into the other; the way back from the Internet follows, as an address of the mesh does. */
  async walk(): Promise<void> {
    const { port } = this.phone.guest
    const from = this.#at
    const to = (this.#at = from === this.ours ? this.theirs : this.ours)
    await from.ns.ip('link', 'set', port, 'nomaster')
    await from.ns.ip('link', 'set', port, 'netns', to.ns.name)
    await this.town.internet.ip('route', 'replace', TOWN.guestNet4, 'via', to.wan4)
    await to.ns.ip('link', 'set', port, 'master', TOWN.guestInterface)
    await to.ns.ip('link', 'set', port, 'up')
  }

  /** kill -9, and again. `meanwhile`: while it is dead. */
  async crash(site: Site, meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await site.service.crash()
    await meanwhile()
    site.service = await startService(site.ns, site.files)
    await this.haveMet()
  }

  /** Another phone with the same addresses, at theirs. */
  async copyOfPhone(): Promise<Phone> {
    const { mac, ip4 } = this.phone.guest
    const copy: GuestHost = await this.town.addGuest()
    await copy.ns.ip('addr', 'flush', 'dev', 'eth0')
    await copy.ns.ip('link', 'set', 'eth0', 'address', mac)
    await this.#plugIn(copy)
    await copy.ns.ip('addr', 'add', `${ip4}/24`, 'dev', 'eth0')
    await copy.ns.ip('route', 'replace', 'default', 'via', TOWN.box4)
    return new Phone({ ...copy, mac })
  }

  /** With addresses of its own, at theirs. */
  async anotherPhone(): Promise<Phone> {
    const guest = await this.town.addGuest()
    await this.#plugIn(guest)
    return new Phone(guest)
  }

  async #plugIn({ ns, port }: GuestHost): Promise<void> {
    await this.town.box.ip('link', 'set', port, 'netns', this.theirs.ns.name)
    await this.theirs.ns.ip('link', 'set', port, 'master', TOWN.guestInterface)
    await this.theirs.ns.ip('link', 'set', port, 'up')
    ns.setResolver(TOWN.box4)
  }

  async destroy(): Promise<void> {
    for (const { service } of [this.ours, this.theirs]) await service.stop()
    await this.town.destroy()
    if (process.env.MESHBOX_KEEP === undefined) rmSync(this.#dir, { recursive: true, force: true })
  }
}

/** The other box: a bridge for guests with the address that they know as their router, and a way out of its own. */
async function furnish(town: Town, ns: Namespace, mac: string): Promise<void> {
  await ns.ip('link', 'add', TOWN.guestInterface, 'address', mac, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0')
  await ns.ip('addr', 'add', `${TOWN.box4}/24`, 'dev', TOWN.guestInterface)
  await ns.ip('addr', 'add', `${TOWN.box6}/64`, 'dev', TOWN.guestInterface, 'nodad')
  await ns.ip('link', 'set', TOWN.guestInterface, 'up')
  await addWayOut(town, ns)
  await plugIn(ns)
  await ns.sysctl('ipv4/ip_forward', 1)
}

function configOf(files: BoxFiles, home: MeshHome, name: string, { roles, sections, mesh }: MoreRooms): string {
  const config = editUci(boxConfig(files, { main: { name, clock_trust: 'always' } }), [{ do: 'set-list', section: { name: 'main' }, option: 'roles', values: ['hotspot', 'relay', ...roles] }])
  return `${config}\n${formatUci([meshSection(home, mesh), ...sections])}`
}
