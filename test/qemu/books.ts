/**
 * What a box says it owes and sold, read over its control socket, and the rules it has to keep whatever
 * happened to its power: what was promised is there, nothing is there twice, the sums are exact.
 */
import { readFileSync } from 'node:fs'
import type { EntriesJson, EntryJson, SessionJson, SessionsJson, VoucherJson, VouchersJson } from '../../src/owner/index.ts'

export interface Books {
  readonly vouchers: readonly VoucherJson[]
  readonly sessions: readonly SessionJson[]
  readonly entries: readonly EntryJson[]
}

/** Asks the box: a GET on the control socket. */
export type Ask = <T>(path: string) => Promise<T>

export async function readBooks(ask: Ask): Promise<Books> {
  const vouchers: VoucherJson[] = []
  for (let offset: number | null = 0; offset !== null; ) {
    const page: VouchersJson = await ask(`/api/vouchers?limit=1000&offset=${offset}`)
    vouchers.push(...page.vouchers)
    offset = page.nextOffset
  }
  const sessions: SessionJson[] = []
  for (let before: string | null = ''; before !== null; ) {
    const page: SessionsJson = await ask(`/api/sessions?state=all&limit=500${before === '' ? '' : `&beforeId=${before}`}`)
    sessions.push(...page.sessions)
    before = page.nextBeforeId
  }
  const entries: EntryJson[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page: EntriesJson = await ask(`/api/earnings/entries?limit=500&afterId=${after}`)
    entries.push(...page.entries)
    after = page.nextAfterId
  }
  return { vouchers, sessions, entries }
}

/** What the guests wrote down before the power went (programs/phones.ts, `spend`). */
export interface Promises {
  /** Codes whose form was sent. */
  readonly asked: ReadonlySet<string>
  /** Codes that were answered with yes. */
  readonly paid: ReadonlySet<string>
  /** Vouchers that were made, by printing run. */
  readonly batches: ReadonlyMap<string, number>
  /** Codes that were answered with no. */
  readonly refused: ReadonlyMap<string, string>
}

export function readPromises(files: readonly string[]): Promises {
  const [asked, paid] = [new Set<string>(), new Set<string>()]
  const [batches, refused] = [new Map<string, number>(), new Map<string, string>()]
  for (const line of files.flatMap((file) => readFileSync(file, 'utf8').split('\n'))) {
    const [what, name = '', more = ''] = line.split(' ')
    if (what === 'asked') asked.add(name)
    else if (what === 'paid') paid.add(name)
    else if (what === 'refused') refused.set(name, more)
    else if (what === 'batch') batches.set(name, Number(more))
  }
  return { asked, paid, batches, refused }
}

/** No session can have used more since its first voucher: the test is shorter. */
const LONGEST_SECONDS = 3600

/** Everything that is wrong, one line each; empty when all is right. */
export function wrongs(books: Books, promises: Promises): string[] {
  const found: string[] = []
  const complain = (isWrong: boolean, text: string): void => {
    if (isWrong) found.push(text)
  }
  const used = books.vouchers.filter((voucher) => voucher.state === 'used')
  const usedCodes = new Set(used.map((voucher) => voucher.code))

  for (const code of promises.paid) complain(!usedCodes.has(code), `voucher ${code} was paid with, and is not used`)
  for (const code of usedCodes) complain(!promises.asked.has(code), `voucher ${code} is used, and nobody asked for it`)
  for (const [batch, count] of promises.batches) {
    const kept = books.vouchers.filter((voucher) => voucher.batch === batch).length
    complain(kept !== count, `printing run ${batch} had ${count} vouchers, and has ${kept}`)
  }
  for (const [code, status] of promises.refused) complain(true, `voucher ${code} was refused with ${status}`)

  const sessions = new Map(books.sessions.map((session) => [session.id, session]))
  complain(sessions.size !== books.sessions.length, 'a session is listed twice')
  // A code that a guest with a running session types adds to that session.
  const bySession = new Map<string, VoucherJson[]>()
  for (const voucher of used) bySession.set(voucher.sessionId ?? '', [...(bySession.get(voucher.sessionId ?? '') ?? []), voucher])
  for (const [id, vouchers] of bySession) {
    const session = sessions.get(id)
    if (session === undefined) {
      complain(true, `voucher ${vouchers.map((voucher) => voucher.code).join(', ')} has no session`)
      continue
    }
    const paid = vouchers.reduce((sum, voucher) => sum + BigInt(voucher.price.units), 0n)
    complain(BigInt(session.paid.units) !== paid, `session ${id} was paid ${session.paid.units}, its vouchers cost ${paid}`)
    const bought = vouchers.reduce((sum, voucher) => sum + (voucher.seconds ?? Infinity), 0)
    const left = session.secondsLeft ?? Infinity
    complain(left > bought || left < bought - LONGEST_SECONDS, `session ${id} has ${left} s left of ${bought}`)
    complain(session.state === 'ended', `session ${id} has ended with ${session.secondsLeft} s of ${bought} left`)
  }
  for (const session of books.sessions) complain(!bySession.has(session.id), `session ${session.id} has no voucher`)

  const earned = books.entries.filter((entry) => entry.kind === 'earn')
  complain(earned.length !== used.length, `${used.length} vouchers are used, ${earned.length} were booked`)
  const evidence = new Set(earned.map((entry) => `${entry.evidence.type} ${entry.evidence.id}`))
  complain(evidence.size !== earned.length, `${earned.length} earnings with ${evidence.size} pieces of evidence`)
  let till = 0n
  for (const entry of books.entries) {
    const sum = entry.postings.reduce((total, posting) => total + BigInt(posting.amount.units), 0n)
    complain(sum !== 0n, `entry ${entry.id} does not balance: ${sum}`)
    for (const posting of entry.postings) if (posting.account === 'cash:vouchers') till += BigInt(posting.amount.units)
  }
  const due = used.reduce((total, voucher) => total + BigInt(voucher.price.units), 0n)
  complain(till !== due, `the till has ${till}, the used vouchers cost ${due}`)
  return found
}
