/** The end of a town: every book is read whole, held against what sold it, and said in one table of what was earned. */
import { formatEther } from 'ethers'
import type { EarningsJson, EntriesJson, EntryJson, SessionsJson } from '../../src/owner/index.ts'
import { socketRequest, type Service } from '../../test/support/town-services.ts'
import { earnedBySource, soldBy, table, unbalancedIn } from './book.ts'
import { claim, note, step } from './say.ts'
import { STREET, type Street } from './street.ts'
import { booksAgree } from './street-story.ts'

const PAGE = 500

export async function tellOfBooks(boxes: ReadonlyMap<string, { readonly name: string; readonly service: Service }>, street: Street): Promise<void> {
  step('The books are closed and compared')
  const rows: (readonly [string, string, string])[] = []
  for (const [id, { name, service }] of boxes) {
    const entries = await wholeBook(service)
    const unbalanced = unbalancedIn(entries)
    claim(`${name}: ${entries.length} entries, each adds up to zero`, unbalanced.length === 0, unbalanced.join(', '))
    const report = await get<EarningsJson>(service, '/api/earnings')
    const bySource = earnedBySource(entries, report.token.symbol)
    const whole = [...bySource.values()].reduce((sum, units) => sum + units, 0n)
    claim(`${name}: its entries come to what its report says, ${report.earnedTotal.all.text} ${report.token.symbol}`, whole === BigInt(report.earnedTotal.all.units), `${formatEther(whole)} in the entries`)
    if (id === 'box1') await sessionsAgree(service, bySource)
    for (const [source, units] of bySource) rows.push([name, source, `${formatEther(units)} ${report.token.symbol}`])
  }
  if (STREET.every((roof) => street.isOn(roof))) {
    await booksAgree(street)
    const baker = (await street.booked('box5', 'box4')).earned
    const miller = (await street.booked('box5', 'box7')).earned
    const school = (await street.booked('box6', 'box5')).earned
    rows.push(['School roof', 'mesh:relay, of which it paid on', `${baker + miller} units, ${school}`], ['Harbour', 'mesh:relay', `${school} units`])
  } else note('a roof is without power: its book is on its disk, and is compared when it is back (`heal`)')
  note(table(rows))
}

/** What sessions say that vouchers and streams brought is what the book says. */
async function sessionsAgree(service: Service, bySource: ReadonlyMap<string, bigint>): Promise<void> {
  const sold = await get<SessionsJson>(service, `/api/sessions?state=all&limit=${PAGE}`)
  if (sold.nextBeforeId !== null) return note('more sessions than one page: not compared here; see `meshbox earnings`')
  for (const kind of ['voucher', 'stream'] as const) {
    const units = soldBy(sold.sessions, kind)
    claim(`sessions by ${kind}: ${formatEther(units)}, as the book has it`, units === (bySource.get(`hotspot:${kind}`) ?? 0n), formatEther(bySource.get(`hotspot:${kind}`) ?? 0n))
  }
}

async function wholeBook(service: Service): Promise<readonly EntryJson[]> {
  const all: EntryJson[] = []
  for (let afterId: number | null = 0; afterId !== null; ) {
    const page: EntriesJson = await get<EntriesJson>(service, `/api/earnings/entries?limit=${PAGE}&afterId=${afterId}`)
    all.push(...page.entries)
    afterId = page.nextAfterId
  }
  return all
}

async function get<T>(service: Service, path: string): Promise<T> {
  const { status, body } = await socketRequest(service.files.socket, 'GET', path)
  if (status !== 200) throw new Error(`${path}: ${status} ${body.slice(0, 200)}`)
  return JSON.parse(body) as T
}
