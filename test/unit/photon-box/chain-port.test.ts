/** The running chain as Photon sees it: what is fetched, what is not, and when it says nothing about now. */
import { beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import type { Address } from '../../../src/base/index.ts'
import { photonChain } from '../../../src/main/photon-chain.ts'
import type { PhotonChainParts } from '../../../src/main/photon-chain.ts'
import { hashTransaction } from '../../../src/spectrum/index.ts'
import { bloomOfLogs } from '../../../src/spectrum/codec/receipt.ts'
import type { ChainBlock, Header, Receipt, Transaction } from '../../../src/spectrum/index.ts'
import type { ChainEvent } from '../../../src/spectrum/ports.ts'
import { FakeTime } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { send, townNetwork } from '../spectrum-execute/town.ts'

const CONTRACT: Address = `0x${'c0'.repeat(20)}`
const OTHER: Address = `0x${'0e'.repeat(20)}`
const PERIOD_SECONDS = 2
const START_SECONDS = 1_700_000_000

class FakeSpectrum {
  readonly blocks: { readonly header: Header; readonly hash: `0x${string}`; readonly transactions: readonly Transaction[]; readonly receipts: readonly Receipt[] }[] = []
  readonly listeners = new Set<(event: ChainEvent) => void>()
  alarm: object | null = null
  sync = { state: 'live', headAgeSeconds: null as number | null }
  asked = 0

  block(logsOf: Address | null, from = this.blocks.length): void {
    const logs = logsOf === null ? [] : [{ address: logsOf, topics: [], data: new Uint8Array([from]) }]
    const bloom = bloomOfLogs(native, logs)
    const header = { number: from, bloom, timeSeconds: START_SECONDS + from } as Header
    const transaction = send(townNetwork(), person(760), BigInt(from), { to: CONTRACT, gas: 21_000n, data: new Uint8Array(0), gasPriceWei: 1n })
    this.blocks[from] = { header, hash: `0x${from.toString(16).padStart(64, '0')}`, transactions: [transaction], receipts: [{ succeeded: true, cumulativeGasUsed: 21_000n, bloom, logs } as Receipt] }
  }
  tell(event: Pick<Extract<ChainEvent, { kind: 'head' }>, 'removed'>): void {
    const head = this.blocks.at(-1) as unknown as ChainBlock
    for (const listener of this.listeners) listener({ kind: 'head', head, added: [], ...event })
  }
  get parts(): PhotonChainParts['spectrum'] {
    return {
      chain: {
        head: () => this.blocks.at(-1),
        safe: () => this.blocks.at(-2) ?? null,
        headerAt: (number: number) => this.blocks[number] ?? null,
        alarm: () => this.alarm,
        transaction: (hash: string) => {
          const block = this.blocks.find(({ transactions }) => transactions.some((one) => hashTransaction(native, one) === hash))
          return block === undefined ? null : { blockHash: block.hash, number: block.header.number, index: 0 }
        },
        on: (listener: (event: ChainEvent) => void) => {
          this.listeners.add(listener)
          return () => this.listeners.delete(listener)
        },
      },
      reads: {
        receipts: async ({ hash }: { hash: string }) => (this.asked++, this.blocks.find((one) => one.hash === hash)?.receipts ?? null),
        body: async ({ hash }: { hash: string }) => ({ transactions: this.blocks.find((one) => one.hash === hash)?.transactions ?? [], uncles: [] }),
        storage: () => Promise.reject(new Error('nobody has the nodes')),
        call: () => Promise.reject(new Error('nobody has the nodes')),
      },
      status: () => ({ network: { chainId: 7n, periodSeconds: PERIOD_SECONDS }, sync: this.sync }),
    } as unknown as PhotonChainParts['spectrum']
  }
}

let fake: FakeSpectrum
let time: FakeTime
let port: ReturnType<typeof photonChain>

beforeEach(() => {
  fake = new FakeSpectrum()
  for (const logs of [null, CONTRACT, OTHER]) fake.block(logs)
  time = new FakeTime()
  port = photonChain({ spectrum: fake.parts, keccak: native, marks: [CONTRACT], clock: time, log: silentLog })
})

it('fetches only blocks that may have what is looked for', async () => {
  const logs = async (number: number): Promise<number | undefined> => (await port.logs(port.at(number) ?? { number, hash: '0x', timeSeconds: 0 }))?.length
  expect([await logs(0), await logs(2), fake.asked]).toEqual([0, 0, 0])
  expect([await logs(1), fake.asked]).toEqual([1, 1])
  expect(await port.logs({ number: 1, hash: `0x${'99'.repeat(32)}`, timeSeconds: 0 })).toBeNull()
})

it('says what became of a transaction, and null of one that is in no block', async () => {
  const [hash] = fake.blocks[1]?.transactions.map((one) => hashTransaction(native, one)) ?? []
  expect(await port.receipt(hash ?? '0x')).toMatchObject({ point: { number: 1 }, succeeded: true, gasUsed: 21_000n, logs: [{ address: CONTRACT, transactionHash: hash }] })
  expect(await port.receipt(`0x${'99'.repeat(32)}`)).toBeNull()
})

it('what cannot be proved now is null', async () => {
  const at = port.at(1)
  expect(at === null ? 'no block' : await port.storage(at, CONTRACT, 1n)).toBeNull()
  expect(at === null ? 'no block' : await port.view?.(at, CONTRACT, new Uint8Array(4))).toBeNull()
})

it('is frozen under an alarm, by age where there is a clock, and by silence where there is none', () => {
  expect(port.isFrozen()).toBe(true) // no block has come yet
  fake.tell({ removed: [] })
  expect(port.isFrozen()).toBe(false)
  time.advance(10 * PERIOD_SECONDS * 1000)
  expect(port.isFrozen()).toBe(false)
  time.advance(1)
  expect(port.isFrozen()).toBe(true)
  fake.tell({ removed: [] })
  fake.sync = { state: 'syncing', headAgeSeconds: null }
  expect(port.isFrozen()).toBe(true)
  fake.sync = { state: 'live', headAgeSeconds: 10 * PERIOD_SECONDS }
  expect(port.isFrozen()).toBe(false)
  fake.sync = { state: 'live', headAgeSeconds: 10 * PERIOD_SECONDS + 1 }
  expect(port.isFrozen()).toBe(true)
  fake.sync = { state: 'live', headAgeSeconds: 0 }
  fake.alarm = {}
  expect(port.isFrozen()).toBe(true)
})

it('tells where a reorganisation began', () => {
  const told: (number | null)[] = []
  const cancel = port.onHead((_head, reorgFrom) => told.push(reorgFrom))
  fake.tell({ removed: [] })
  fake.tell({ removed: [fake.blocks[2], fake.blocks[1]] as unknown as ChainBlock[] })
  cancel()
  fake.tell({ removed: [] })
  expect(told).toEqual([null, 1])
})
