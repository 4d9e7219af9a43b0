/** batman-adv of this box: one socket for all that is asked of it, opened when it is first needed. */
import type { HardInterface } from './mesh-relay.ts'
import { createGatewayMode, createKernelReader, type MeshReader } from '../mesh/index.ts'
import { createBatadv, loadGenetlink, type Batadv, type Genetlink } from '../native/index.ts'

type GatewayMode = ReturnType<typeof createGatewayMode>

interface Opened {
  readonly netlink: Genetlink
  readonly batadv: Batadv
  readonly reader: MeshReader
  readonly gatewayMode: GatewayMode
}

/** Opened when first asked, and asked again where that failed: the module may be loaded later. */
export class MeshKernel {
  readonly #path: string | null
  readonly #interface: string
  #opened: Promise<Opened> | null = null

  /** `path`: of genetlink.node; null: it is not installed. */
  constructor(path: string | null, meshInterface: string) {
    this.#path = path
    this.#interface = meshInterface
  }

  readonly reader: MeshReader = {
    read: async (call) => (await this.#open()).reader.read(call),
    watchSettings: async (onChange, call) => (await this.#open()).reader.watchSettings(onChange, call),
  }

  readonly gatewayMode: GatewayMode = { set: async (mode) => (await this.#open()).gatewayMode.set(mode) }

  /** Those that work now. Errors: those of Batadv. */
  async hardInterfaces(): Promise<readonly HardInterface[]> {
    const { batadv } = await this.#open()
    const all = await batadv.hardInterfaces(this.#interface)
    return all.flatMap(({ interfaceName: name, interfaceIndex: number, address, isActive }) => (isActive && name !== null && number !== null && address !== null ? [{ name, number, address: address.toLowerCase() }] : []))
  }

  /** For counters of traffic control; whoever opens it closes it. Errors: those of GenetlinkDoor. */
  openRoute(): Promise<Genetlink> {
    return loadGenetlink(this.#path).open({ protocol: 'route' })
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null) // whoever asked for it was told
    opened?.netlink.close()
  }

  #open(): Promise<Opened> {
    this.#opened ??= loadGenetlink(this.#path)
      .open()
      .then((netlink) => {
        const batadv = createBatadv(netlink)
        return { netlink, batadv, reader: createKernelReader(batadv, this.#interface), gatewayMode: createGatewayMode({ meshInterface: this.#interface, genetlink: netlink, devicesPath: '/sys/class/net' }) }
      })
      .catch((thrown: unknown) => {
        this.#opened = null
        throw thrown
      })
    return this.#opened
  }
}
