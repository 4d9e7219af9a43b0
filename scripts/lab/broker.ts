/** A broker in the lab's own process, for who may not start mosquitto as another user: on loopback, without passwords. */
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'

export class LabBroker {
  readonly url: string
  readonly #aedes: Aedes
  readonly #server: Server
  readonly #sockets: ReadonlySet<Socket>
  readonly #newest = new Map<string, string>()

  private constructor(aedes: Aedes, server: Server, sockets: ReadonlySet<Socket>, port: number) {
    this.url = `mqtt://127.0.0.1:${port}`
    this.#aedes = aedes
    this.#server = server
    this.#sockets = sockets
    aedes.on('publish', ({ topic, payload }) => {
      if (!topic.startsWith('$SYS')) this.#newest.set(topic, payload.toString())
    })
  }

  /** At any free port. */
  static async start(): Promise<LabBroker> {
    const aedes = await Aedes.createBroker()
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      aedes.handle(socket)
    })
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return new LabBroker(aedes, server, sockets, typeof address === 'object' && address !== null ? address.port : 0)
  }

  /** The last message of a topic; null: none came. */
  newest(topic: string): string | null {
    return this.#newest.get(topic) ?? null
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()))
  }
}
