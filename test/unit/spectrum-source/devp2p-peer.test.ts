/** An independent implementation on the other side: RLPx and ETH of @ethereumjs/devp2p, called by us and calling us. */
import { Common, Mainnet } from '@ethereumjs/common'
import { ETH, RLPx } from '@ethereumjs/devp2p'
import type { Peer } from '@ethereumjs/devp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { bytesOf } from '../../../src/spectrum/codec/fields.ts'
import { decodeRlp, encodeRlp } from '../../../src/base/index.ts'
import type { RlpItem } from '../../../src/base/index.ts'
import { joinList } from '../../../src/spectrum/source/raw-rlp.ts'
import { nodeIdOf } from '../../../src/spectrum/source/rlpx/handshake.ts'
import { native } from '../spectrum/curves.ts'
import { DEVNET_NODES } from '../spectrum/devnet.ts'
import { blockOf, devnet, enodeOf, freshKey, onlySource, stopTowns, town } from './towns.ts'
import type { Town } from './towns.ts'

const strangers: RLPx[] = []
afterEach(async () => {
  for (const stranger of strangers.splice(0)) stranger.destroy()
  await stopTowns()
})

interface Heard {
  readonly code: number
  readonly payload: unknown
}

class Stranger {
  readonly key = freshKey()
  readonly heard: Heard[] = []
  readonly rlpx: RLPx
  eth: ETH | null = null
  #wake: (() => void)[] = []

  constructor() {
    // Its network id is the chain id of its Common: 1, as that of Spectrum's devnet.
    this.rlpx = new RLPx(this.key, { capabilities: [ETH.eth63], common: new Common({ chain: Mainnet }), maxPeers: 5, timeout: 5000 })
    strangers.push(this.rlpx)
    this.rlpx.events.on('peer:error', () => undefined)
    this.rlpx.events.on('error', () => undefined)
    this.rlpx.events.on('peer:added', (peer: Peer) => this.#added(peer))
  }

  get nodeId(): Uint8Array {
    return nodeIdOf(native, this.key)
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.rlpx.events.once('listening', () => {
        const address = this.rlpx['_server']?.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
      this.rlpx.listen(0, '127.0.0.1')
    })
  }

  async next(code: number): Promise<unknown> {
    for (;;) {
      const index = this.heard.findIndex((one) => one.code === code)
      const [found] = index < 0 ? [] : this.heard.splice(index, 1)
      if (found !== undefined) return found.payload
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  ask(code: Parameters<ETH['sendMessage']>[0], payload: RlpItem[]): void {
    this.eth?.sendMessage(code, payload as Parameters<ETH['sendMessage']>[1])
  }

  #added(peer: Peer): void {
    const eth = peer.getProtocols()[0] as ETH
    this.eth = eth
    const note = (code: number, payload: unknown): void => {
      this.heard.push({ code, payload })
      for (const wake of this.#wake.splice(0)) wake()
    }
    eth.events.on('status', (status) => note(0, status))
    eth.events.on('message', (code: number, payload: unknown) => {
      this.#serve(code, payload)
      note(code, payload)
    })
    eth.sendStatus({ td: encodeTd(devnet(8).totalDifficulty), bestHash: bytesOf(devnet(8).hash), genesisHash: bytesOf(devnet(0).hash) })
  }

  /** It has blocks 7 and 8 and one node. */
  #serve(code: number, payload: unknown): void {
    if (code === 3) this.ask(4, [decoded(devnet(7).rlp), decoded(devnet(8).rlp)].slice(0, (payload as Uint8Array[])[1]?.[0] ?? 0))
    if (code === 5) this.ask(6, [decoded(devnet(7).bodyRlp)])
    if (code === 13) this.ask(14, (payload as Uint8Array[]).flatMap((hash) => DEVNET_NODES.get(`0x${Buffer.from(hash).toString('hex')}`) ?? []))
  }
}

const encodeTd = (value: bigint): Uint8Array => Uint8Array.of(Number(value))

function decoded(rlp: Uint8Array): RlpItem[] {
  const item = decodeRlp(rlp, { maxBytes: 1 << 20, maxItems: 10_000, maxDepth: 5 })
  if (item instanceof Uint8Array) throw new Error('a string')
  return [...item]
}

async function called(): Promise<{ place: Town; stranger: Stranger }> {
  const stranger = new Stranger()
  const port = await stranger.listen()
  const place = await town({ staticPeers: [{ nodeId: stranger.nodeId, address: '127.0.0.1', tcpPort: port, udpPort: port }] })
  return { place, stranger }
}

async function calling(): Promise<{ place: Town; stranger: Stranger }> {
  const stranger = new Stranger()
  const place = await town()
  await stranger.rlpx.connect({ id: enodeOf(place).nodeId, address: '127.0.0.1', tcpPort: place.node.listenPort })
  return { place, stranger }
}

describe.each([['called by us', called], ['calling us', calling]])('a peer of @ethereumjs/devp2p, %s', (_, meet) => {
  it('exchanges Status, and answers headers, bodies and nodes', async () => {
    const { place, stranger } = await meet()
    await stranger.next(0)
    const source = await onlySource(place)
    expect(source.head()).toEqual({ hash: devnet(8).hash, number: null, totalDifficulty: devnet(8).totalDifficulty })
    expect(await source.headers(7, 2)).toEqual([devnet(7).rlp, devnet(8).rlp])
    expect(await source.bodies([devnet(7).hash])).toEqual([devnet(7).bodyRlp])
    const hash = [...DEVNET_NODES.keys()][3] ?? devnet(0).hash
    expect(await source.nodes([hash])).toEqual([DEVNET_NODES.get(hash)])
  })

  it('gets headers, bodies, receipts and nodes from us', async () => {
    const { stranger } = await meet()
    await stranger.next(0)
    stranger.ask(3, [Uint8Array.of(9), Uint8Array.of(2), new Uint8Array(0), Uint8Array.of(1)])
    expect(encodeRlp((await stranger.next(4)) as Uint8Array[])).toEqual(listOf(devnet(9).rlp, devnet(8).rlp))
    stranger.ask(5, [bytesOf(devnet(9).hash)])
    expect(encodeRlp((await stranger.next(6)) as Uint8Array[])).toEqual(listOf(devnet(9).bodyRlp))
    const [hash, node] = [...DEVNET_NODES][5] ?? []
    stranger.ask(13, [bytesOf(hash ?? devnet(0).hash)])
    expect(await stranger.next(14)).toEqual([node])
    stranger.ask(15, [bytesOf(devnet(9).hash)])
    expect(await stranger.next(16)).toHaveLength(1)
  })

  it('gets its pings answered', async () => {
    const { stranger } = await meet()
    await stranger.next(0)
    const [peer] = stranger.rlpx.getPeers() as Peer[]
    await new Promise<void>((resolve) => {
      if (peer === undefined) throw new Error('no peer')
      peer._handlePong = resolve
      peer._sendPing()
    })
  })

  it('pushes a block and gets one', async () => {
    const { place, stranger } = await meet()
    await stranger.next(0)
    await onlySource(place)
    place.pool.announceBlock(blockOf(9), devnet(9).totalDifficulty)
    expect(await stranger.next(7)).toHaveLength(2)
    stranger.ask(7, [[decoded(devnet(10).rlp), ...decoded(devnet(10).bodyRlp)], encodeTd(devnet(10).totalDifficulty)])
    await place.ears.until(() => place.ears.blocks.length > 0)
    expect(place.ears.blocks[0]).toEqual({ header: devnet(10).rlp, body: devnet(10).bodyRlp, totalDifficulty: devnet(10).totalDifficulty })
  })
})

describe('a peer of @ethereumjs/devp2p', () => {
  it('that announces a hash is asked for the block', async () => {
    const { place, stranger } = await called()
    place.server.height = 6
    await stranger.next(0)
    await onlySource(place)
    stranger.ask(1, [[bytesOf(devnet(7).hash), Uint8Array.of(7)]])
    await place.ears.until(() => place.ears.blocks.length > 0)
    expect(place.ears.blocks[0]?.header).toEqual(devnet(7).rlp)
  })
})

function listOf(...items: Uint8Array[]): Uint8Array {
  return joinList(items)
}
