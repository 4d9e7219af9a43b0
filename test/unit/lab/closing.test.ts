/** The end of the story: what is asked of each box, page by page, and which difference ends it. Boxes are answers on a control socket here; real ones are in test/netns. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { tellOfBooks, type KeptBooks } from '../../../scripts/lab/closing.ts'
import { StoryError, onSaid } from '../../../scripts/lab/say.ts'
import { boxFiles } from '../../support/town-services.ts'

const TOKEN = { symbol: 'SMT', decimals: 18, address: '0x01' }
const money = (units: bigint): { readonly units: string; readonly text: string } => ({ units: units.toString(), text: units.toString() })
const folder = mkdtempSync(join(tmpdir(), 'meshbox-closing-'))
const servers: Server[] = []
let made = 0
const said: string[] = []
onSaid(({ kind, text }) => said.push(`${kind}: ${text}`))
afterEach(async () => {
  said.length = 0
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface PaperBox {
  readonly name: string
  readonly account: string
  /** Sessions by voucher, a unit each. */
  readonly sold: number
  /** In the book; what else is in it. */
  readonly booked: number
  readonly paid?: readonly { readonly direction: 'sent' | 'received'; readonly peer: string; readonly units: bigint }[]
  readonly audit?: object
}

/** Answers as a box does: pages are as long as is asked for. */
async function paper({ name, account, sold, booked, paid = [], audit = {} }: PaperBox): Promise<KeptBooks & { readonly asked: string[] }> {
  const files = boxFiles(join(folder, String(made++))) // a socket of its own: a connection to one that is gone may be kept for a moment
  const asked: string[] = []
  const pageOf = <T extends { readonly id: number }>(all: readonly T[], limit: number, isBehind: (id: number) => boolean): { readonly page: readonly T[]; readonly next: number | null } => {
    const rest = all.filter(({ id }) => isBehind(id))
    return { page: rest.slice(0, limit), next: rest.length > limit ? (rest[limit - 1]?.id ?? null) : null }
  }
  const answer = (url: URL): object | null => {
    const option = (key: string): number | null => (url.searchParams.has(key) ? Number(url.searchParams.get(key)) : null)
    const limit = option('limit') ?? 100
    const numbers = (count: number): { readonly id: number }[] => Array.from({ length: count }, (_, index) => ({ id: index + 1 }))
    if (url.pathname === '/api/audit') return { isSound: true, differences: [], unnamed: 0, looked: { 'ledger-balance': 3, session: 4 }, unchecked: [], contracts: [], ...audit }
    if (url.pathname === '/api/photon') return { account }
    if (url.pathname === '/api/earnings') return { token: TOKEN, earnedTotal: { all: money(BigInt(booked)) } }
    if (url.pathname === '/api/earnings/entries') {
      const { page, next } = pageOf(numbers(booked).map(({ id }) => ({ id, kind: 'earn', token: 'SMT', source: 'hotspot:voucher', postings: [{ account: 'a', amount: money(1n) }, { account: 'b', amount: money(-1n) }] })), limit, (id) => id > (option('afterId') ?? 0))
      return { entries: page, nextAfterId: next }
    }
    if (url.pathname === '/api/sessions') {
      const { page, next } = pageOf(numbers(sold).reverse().map(({ id }) => ({ id, source: 'voucher', state: 'ended', paid: money(1n), refunded: money(0n) })), limit, (id) => id < (option('beforeId') ?? Infinity))
      return { sessions: page, nextBeforeId: next === null ? null : String(next) }
    }
    if (url.pathname === '/api/photon/payments') {
      const { page, next } = pageOf(paid.map(({ direction, peer, units }, index) => ({ id: index + 1, state: 'done', token: TOKEN, direction, peer, amount: money(units) })).reverse(), limit, (id) => id < (option('before') ?? Infinity))
      return { payments: page, next }
    }
    return null
  }
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const body = answer(new URL(request.url ?? '/', 'http://box'))
    response.writeHead(body === null ? 404 : 200).end(JSON.stringify(body))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(files.socket, resolve))
  return { name, service: { files }, asked }
}

const COIN = 10n ** 18n
const both = async (ours: Partial<PaperBox> = {}, theirs: Partial<PaperBox> = {}): Promise<Map<string, KeptBooks & { readonly asked: string[] }>> => new Map([
  ['box1', await paper({ name: 'Café', account: '0xa1', sold: 1203, booked: 1203, paid: [...Array.from({ length: 250 }, () => ({ direction: 'sent' as const, peer: '0xb2', units: COIN / 100n })), { direction: 'sent', peer: '0xc3', units: COIN }], ...ours })],
  ['box2', await paper({ name: 'Next door', account: '0xb2', sold: 0, booked: 0, paid: Array.from({ length: 250 }, () => ({ direction: 'received' as const, peer: '0xa1', units: COIN / 100n })), ...theirs })],
  ['hall', await paper({ name: 'Village hall', account: '0xd4', sold: 0, booked: 0 })],
])

it('every box with power is audited, and books, sessions and payments are read to their ends', async () => {
  const boxes = await both()
  await tellOfBooks(boxes, null)
  for (const { asked } of boxes.values()) expect(asked.filter((path) => path === '/api/audit').length).toBe(1)
  expect(said).toContain('claim: Café: meshbox audit finds no difference in 7 comparisons')
  expect(said).toContain('claim: Village hall: meshbox audit finds no difference in 7 comparisons')
  expect(said).toContain('claim: Café: 1203 entries, each adds up to zero')
  expect(said).toContain('claim: sessions by voucher: 0.000000000000001203, as the book has it')
  expect(said).toContain('claim: Café and Next door: what each has paid is what came to the other: 2.5 SMT one way, nothing the other')
  expect(boxes.get('box1')?.asked.filter((path) => path.startsWith('/api/sessions')).length).toBe(3)
})

it('a difference of any box ends it, by name', async () => {
  const difference = { check: 'guarantee', what: 'the proof is worth less', where: 'channel 0x12', amount: { expected: '5', found: '4', token: 'SMT' }, advice: 'look' }
  const boxes = await both()
  boxes.set('hall', await paper({ name: 'Village hall', account: '0xe5', sold: 0, booked: 0, audit: { isSound: false, differences: [difference], unnamed: 2 } }))
  await expect(tellOfBooks(boxes, null)).rejects.toThrow('Village hall: meshbox audit finds no difference in 7 comparisons: \n  guarantee: the proof is worth less (channel 0x12; expected 5, found 4 SMT)\n  and 2 more')
})

it('what could not be compared is told, and is no difference', async () => {
  const boxes = await both({ audit: { unchecked: [{ check: 'chain', why: 'nobody gives the state now' }] } })
  await tellOfBooks(boxes, null)
  expect(said).toContain('note: Café: not compared (chain): nobody gives the state now')
})

it('sessions beyond the first page count: one that is missing there ends it', async () => {
  const failed = tellOfBooks(await both({ sold: 1202 }), null)
  await expect(failed).rejects.toThrow(StoryError)
  await expect(failed).rejects.toThrow('sessions by voucher: 0.000000000000001202, as the book has it: 0.000000000000001203')
})

it('a box without power is named, and nothing is said of it', async () => {
  const boxes = new Map<string, KeptBooks>(await both())
  boxes.set('box2', { name: 'Next door', service: null })
  await tellOfBooks(boxes, null)
  expect(said).toContain('note: Next door has no power: its book is on its disk, and is not compared')
  expect(said).toContain('note: what the two boxes paid each other is compared when both have power')
})
