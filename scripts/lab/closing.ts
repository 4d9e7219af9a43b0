/**
 * The end of a town: each box audits its books, every book is read whole and held against what sold it and against the partner's, and one table says
 * what was earned.
 */
import { formatEther } from 'ethers'
import type { AuditJson, EarningsJson, EntriesJson, EntryJson, PhotonPaymentJson, PhotonPaymentsJson, PhotonStatusJson, SessionJson, SessionsJson } from '../../src/owner/index.ts'
import { socketRequest, waitFor, type Service } from '../../test/support/town-services.ts'
import { comparisonsOf, differencesIn, earnedBySource, movedBetween, soldBy, table, unbalancedIn } from './book.ts'
import { claim, note, step } from './say.ts'
import { STREET, type Street } from './street.ts'
import { booksAgree } from './street-story.ts'

const PAGE = 500
const PAYMENTS_PAGE = 200
/** What a partner did not take at once is sent again within a minute. */
const PATIENCE_MS = 120_000

/** A box that runs the whole bundled service; null: it has no power. */
export interface KeptBooks {
  readonly name: string
  readonly service: Pick<Service, 'files'> | null
}

type Row = readonly [box: string, source: string, earned: string]

/** `boxes`: `box1` sells minutes, `box2` has a channel with it. `street`: null, where there is none. Errors: StoryError, the first claim that is false. */
export async function tellOfBooks(boxes: ReadonlyMap<string, KeptBooks>, street: Street | null): Promise<void> {
  step('The books are closed and compared')
  const rows: Row[] = []
  for (const [id, { name, service }] of boxes) {
    if (service === null) {
      note(`${name} has no power: its book is on its disk, and is not compared`)
      continue
    }
    await isAudited(name, service)
    const { entries, report } = await bookAndReport(service)
    const unbalanced = unbalancedIn(entries)
    claim(`${name}: ${entries.length} entries, each adds up to zero`, unbalanced.length === 0, unbalanced.join(', '))
    const bySource = earnedBySource(entries, report.token.symbol)
    const whole = [...bySource.values()].reduce((sum, units) => sum + units, 0n)
    claim(`${name}: its entries come to what its report says, ${report.earnedTotal.all.text} ${report.token.symbol}`, whole === BigInt(report.earnedTotal.all.units), `${formatEther(whole)} in the entries`)
    if (id === 'box1') await sessionsAgree(service, bySource)
    for (const [source, units] of bySource) rows.push([name, source, `${formatEther(units)} ${report.token.symbol}`])
  }
  await paymentsAgree(boxes.get('box1'), boxes.get('box2'))
  if (street !== null) rows.push(...(await streetAgrees(street)))
  note(table(rows))
}

/** `meshbox audit`: ledger, sessions, channels, chain and bills of one box. */
async function isAudited(name: string, service: Pick<Service, 'files'>): Promise<void> {
  const audit = await get<AuditJson>(service, '/api/audit')
  claim(`${name}: meshbox audit finds no difference in ${comparisonsOf(audit)} comparisons`, audit.isSound, differencesIn(audit))
  for (const { check, why } of audit.unchecked) note(`${name}: not compared (${check}): ${why}`)
}

/** Of one moment: where blocks are sealed and frames sold, an entry may come between book and report. */
function bookAndReport(service: Pick<Service, 'files'>): Promise<{ readonly entries: readonly EntryJson[]; readonly report: EarningsJson }> {
  const entries: EntryJson[] = []
  return waitFor('a moment in which nothing is booked', async () => {
    entries.push(...(await entriesAfter(service, entries.at(-1)?.id ?? 0)))
    const report = await get<EarningsJson>(service, '/api/earnings')
    return (await entriesAfter(service, entries.at(-1)?.id ?? 0)).length === 0 && { entries, report }
  }, PATIENCE_MS)
}

/** What sessions say that vouchers and streams brought is what the book says. */
async function sessionsAgree(service: Pick<Service, 'files'>, bySource: ReadonlyMap<string, bigint>): Promise<void> {
  const sold = await allSessions(service)
  for (const kind of ['voucher', 'stream'] as const) {
    if (kind === 'stream' && sold.some(({ source, state }) => source === kind && state !== 'ended')) {
      note('a guest pays by the second now: his session and the book are compared when it has ended')
      continue
    }
    const units = soldBy(sold, kind)
    claim(`sessions by ${kind}: ${formatEther(units)}, as the book has it`, units === (bySource.get(`hotspot:${kind}`) ?? 0n), formatEther(bySource.get(`hotspot:${kind}`) ?? 0n))
  }
}

/** What one has sent, by its own history, is what came to the other, by his. */
async function paymentsAgree(ours: KeptBooks | undefined, theirs: KeptBooks | undefined): Promise<void> {
  if (ours?.service == null || theirs?.service == null) return note('what the two boxes paid each other is compared when both have power')
  const [one, other] = [ours.service, theirs.service]
  const [account, theirAccount] = (await Promise.all([one, other].map((service) => get<PhotonStatusJson>(service, '/api/photon')))).map((status) => status.account)
  let [sent, received] = ['', '']
  const isSame = await waitFor('both histories', async () => {
    const [mine, his] = await Promise.all([allPayments(one), allPayments(other)])
    sent = `${movedBetween(mine, 'sent', theirAccount ?? '')} one way, ${movedBetween(his, 'sent', account ?? '')} the other`
    received = `${movedBetween(his, 'received', account ?? '')} one way, ${movedBetween(mine, 'received', theirAccount ?? '')} the other`
    return sent === received
  }, PATIENCE_MS).catch(() => false) // both figures are told below
  claim(`${ours.name} and ${theirs.name}: what each has paid is what came to the other: ${sent}`, isSame, `came: ${received}`)
}

/** The roofs run no whole service: each book by itself, and both books and the channel of each hop. */
async function streetAgrees(street: Street): Promise<readonly Row[]> {
  if (!STREET.every((roof) => street.isOn(roof))) {
    note('a roof has no power: its book is on its disk, and is compared when it is back (`heal`)')
    return []
  }
  await booksAgree(street)
  const baker = (await street.booked('box5', 'box4')).earned
  const miller = (await street.booked('box5', 'box7')).earned
  const school = (await street.booked('box6', 'box5')).earned
  return [['School roof', 'mesh:relay, of which it paid on', `${baker + miller} units, ${school}`], ['Harbour', 'mesh:relay', `${school} units`]]
}

const entriesAfter = (service: Pick<Service, 'files'>, id: number): Promise<readonly EntryJson[]> =>
  inPages(`${id}`, async (after) => {
    const { entries, nextAfterId } = await get<EntriesJson>(service, `/api/earnings/entries?limit=${PAGE}&afterId=${after}`)
    return [entries, nextAfterId]
  })

const allSessions = (service: Pick<Service, 'files'>): Promise<readonly SessionJson[]> =>
  inPages('', async (before) => {
    const { sessions, nextBeforeId } = await get<SessionsJson>(service, `/api/sessions?state=all&limit=${PAGE}${before === '' ? '' : `&beforeId=${before}`}`)
    return [sessions, nextBeforeId]
  })

const allPayments = (service: Pick<Service, 'files'>): Promise<readonly PhotonPaymentJson[]> =>
  inPages('', async (before) => {
    const { payments, next } = await get<PhotonPaymentsJson>(service, `/api/photon/payments?limit=${PAYMENTS_PAGE}${before === '' ? '' : `&before=${before}`}`)
    return [payments, next]
  })

/** `page`: what lies there, and where the next one begins; null: it was the last. */
async function inPages<Item>(first: string, page: (place: string) => Promise<readonly [readonly Item[], string | number | null]>): Promise<readonly Item[]> {
  const all: Item[] = []
  for (let place: string | null = first; place !== null; ) {
    const [items, next] = await page(place)
    all.push(...items)
    place = next === null ? null : `${next}`
  }
  return all
}

async function get<T>(service: Pick<Service, 'files'>, path: string): Promise<T> {
  const { status, body } = await socketRequest(service.files.socket, 'GET', path)
  if (status !== 200) throw new Error(`${path}: ${status} ${body.slice(0, 200)}`)
  return JSON.parse(body) as T
}
