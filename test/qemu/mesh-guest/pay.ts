/**
 * Four boxes in a line on real batman-adv, each a process of its own (programs/mesh-box.ts): they find each other over the mesh, agree on
 * what carrying costs, count it in the kernel, and pay it over their payment channels, hop by hop; then the first pays the last by one
 * locked payment over both between. Not real is the chain, which says of the channels what the plan says.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { V8_FLAGS } from '../../../scripts/bundle/start-scripts.ts'
import { Talker } from '../../support/talker.ts'
import type { BoxPlan } from '../../support/town-box.ts'
import { bookedWith } from '../../support/town-books.ts'
import type { BoxFacts, BoxKeys, CarriageFacts } from '../../support/town-books.ts'
import type { Checks } from '../genetlink-guest/checks.ts'
import { FRAME_BYTES, PING_BYTES, forwarded } from './carry.ts'
import { LINE, Roofs } from './roofs.ts'

type Name = 'a' | 'b' | 'c' | 'd'

const NAMES: readonly Name[] = ['a', 'b', 'c', 'd']
const HOPS = [['a', 'b'], ['b', 'c'], ['c', 'd']] as const
/** What each keeps for a MiB; the last has the way out. */
const KEEPS: Readonly<Record<Name, bigint>> = { a: 0n, b: 300n, c: 500n, d: 1100n }
const ASKED: Readonly<Record<'b' | 'c' | 'd', bigint>> = { b: 1900n, c: 1600n, d: 1100n }
const DEPOSIT = '1000000'
const PINGS = 1500
const PER_MIB = 1n << 20n
const MOST_OFF = 0.01
const ETHERNET_HEADER_BYTES = 14n
const LOCKED = 500n
const WORDS_OF_LOG = 3000
/** A bound against hanging, not a measure. */
const PATIENCE_MS = 300_000
/** A box that is asked has less time to do what it is asked about. */
const LOOK_AGAIN_MS = 2000

class Street {
  readonly roofs = new Roofs('BATMAN_IV', LINE)
  readonly keys = {} as Record<Name, BoxKeys>
  readonly #dir = mkdtempSync(join(tmpdir(), 'pay-'))
  readonly #boxes = new Map<Name, Talker>()

  /** `program`: of a box; beside it lie the addons. */
  async start(name: Name, program: string): Promise<void> {
    const { roofs } = this
    const at = NAMES.indexOf(name)
    roofs.in(name, 'ip', 'addr', 'add', `fd42:0:0:1::${at + 1}/64`, 'dev', 'bat0', 'nodad')
    const plan: BoxPlan = {
      number: at + 1,
      dir: join(this.#dir, name),
      options: { settle_amount: '1', max_debt: '20000', spend_per_day: '1000000', price_per_mib: String(KEEPS[name]) },
      hasUplink: name === 'd',
      channels: Object.fromEntries(roofs.neighboursOf(name).map((near) => [roofs.names.indexOf(near) + 1, DEPOSIT])),
      ...(name === 'a' ? { path: [2, 3, 4] } : {}),
    }
    const box = new Talker(spawn('ip', ['netns', 'exec', roofs.place(name), process.execPath, ...V8_FLAGS, program, JSON.stringify(plan), dirname(program)], { stdio: ['pipe', 'pipe', openSync(this.#log(name), 'a')] }))
    this.#boxes.set(name, box)
    this.keys[name] = JSON.parse(await box.first) as BoxKeys
  }

  async ask(name: Name, line: string): Promise<BoxFacts> {
    const box = this.#boxes.get(name)
    if (box === undefined) throw new Error(`${name} was not started`)
    return JSON.parse(await box.ask(line)) as BoxFacts
  }

  facts(name: Name): Promise<BoxFacts> {
    return this.ask(name, 'facts')
  }

  async carriage(carrier: Name, client: Name, at: Name): Promise<CarriageFacts | undefined> {
    return (await this.facts(at)).carriages.find((each) => each.state !== 'ended' && each.carrier === this.keys[carrier].box && each.client === this.keys[client].box)
  }

  lastWords(): string {
    return NAMES.map((name) => `${name}:\n${readFileSync(this.#log(name), 'utf8').slice(-WORDS_OF_LOG)}`).join('\n')
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#boxes.values()].map(async ({ process: box }) => {
      if (box.exitCode !== null || box.signalCode !== null) return
      const ended = once(box, 'exit')
      box.kill('SIGKILL')
      await ended
    }))
    this.roofs.remove()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #log(name: Name): string {
    return join(this.#dir, `${name}.log`)
  }
}

export async function checkPayments(program: string, checks: Checks): Promise<void> {
  const street = new Street()
  let isOver = false
  try {
    await Promise.all(NAMES.map((name) => street.start(name, program)))
    await findEachOther(street, checks)
    await payForCarrying(street, checks)
    await payOverTwoBoxes(street, checks)
    checks.equal('all books add up', await Promise.all(NAMES.map(async (name) => (await street.facts(name)).audit.every(({ sum, unbalancedEntries }) => sum === '0' && unbalancedEntries.length === 0))), NAMES.map(() => true))
    isOver = true
  } finally {
    if (!isOver || checks.list.some(({ ok }) => !ok)) process.stderr.write(street.lastWords())
    await street.remove()
  }
}

/** What comes later is of no use without it. */
async function becomes<Seen>(checks: Checks, name: string, look: () => Promise<Seen> | Seen, isSo: (seen: Seen) => boolean): Promise<Seen> {
  const seen = await checks.until(name, look, isSo, { patienceMs: PATIENCE_MS, everyMs: LOOK_AGAIN_MS })
  if (!isSo(seen)) throw new Error(`nothing more was tried: it did not become so that ${name}`)
  return seen
}

async function findEachOther(street: Street, checks: Checks): Promise<void> {
  for (const [client, carrier] of HOPS) await becomes(checks, `${client} has found ${carrier} over the mesh, and is carried`, () => street.carriage(carrier, client, client).then((found) => found?.state), (state) => state === 'running')
  for (const [client, carrier] of HOPS) await becomes(checks, `the channel of ${client} and ${carrier} is ready`, async () => (await street.facts(client)).channels.find(({ partner }) => partner === street.keys[carrier].account)?.isReady, (isReady) => isReady === true)
  const prices = (): Promise<readonly unknown[]> => Promise.all((['b', 'c', 'd'] as const).map(async (name) => (await street.facts(name)).own).map(async (own) => [(await own)?.unitsPerMiB, (await own)?.hops]))
  await becomes(checks, 'each asks for the sum of what lies behind it', prices, (seen) => isDeepStrictEqual(seen, [[String(ASKED.b), 2], [String(ASKED.c), 1], [String(ASKED.d), 0]]))
}

async function payForCarrying(street: Street, checks: Checks): Promise<void> {
  const { roofs, keys } = street
  const seen = async (): Promise<bigint> => {
    const last = (await street.carriage('b', 'a', 'b'))?.lastBytes
    return BigInt(last?.up ?? 0) + BigInt(last?.down ?? 0)
  }
  await becomes(checks, 'a reaches d', () => roofs.pings('a', roofs.address('d')), Boolean)
  const [countedBefore, kernelBefore] = [await seen(), forwarded(roofs, 'b')]
  const said = roofs.in('a', 'ping', '-q', '-f', '-c', String(PINGS), '-s', String(PING_BYTES), '-w', '60', roofs.address('d'))
  const answered = BigInt(/(\d+) received/.exec(said)?.[1] ?? 0)
  checks.add('most of the pings came back', answered * 10n >= BigInt(PINGS) * 9n, said)
  const due = (price: bigint): bigint => (answered * 2n * FRAME_BYTES * price) / PER_MIB

  // What the readings name, against batman-adv's own count of what b forwarded; both grow on by the boxes' own talk.
  const off = async (): Promise<number> => {
    const now = forwarded(roofs, 'b')
    const theirs = now.bytes - kernelBefore.bytes - ETHERNET_HEADER_BYTES * (now.packets - kernelBefore.packets)
    return Number((await seen()) - countedBefore - theirs) / Number(theirs)
  }
  const found = await becomes(checks, "what both signed is batman-adv's own count of what b forwarded, at most 1 % off", off, (part) => Math.abs(part) <= MOST_OFF)
  checks.notes["signed readings against batman-adv's own count: off by, %"] = Math.round(found * 10_000) / 100

  for (const [client, carrier] of HOPS) {
    const paid = await becomes(checks, `${client} has paid ${carrier} what the ends know was carried`, async () => bookedWith(await street.facts(client), keys[carrier]).spent, (spent) => spent >= due(ASKED[carrier]))
    checks.notes[`${client} → ${carrier} over their channel: paid, due for the pings alone`] = `${paid}, ${due(ASKED[carrier])}`
    const both = async (): Promise<readonly string[]> => {
      const [ours, theirs] = await Promise.all([street.facts(client), street.facts(carrier)])
      const channel = theirs.channels.find(({ partner }) => partner === keys[client].account)
      return [String(bookedWith(ours, keys[carrier]).spent), String(bookedWith(theirs, keys[client]).earned), channel?.got ?? '']
    }
    await becomes(checks, `both books and the channel of ${client} and ${carrier} say the same, to the unit`, both, ([spent, earned, got]) => spent === earned && earned === got)
    const { entries } = await street.facts(carrier)
    const earnings = entries.filter(({ source, postings }) => source === 'mesh:relay' && postings.some(({ account }) => account.includes(keys[client].account)))
    checks.add(`each earning of ${carrier} shows both ends' signed readings`, earnings.length > 0 && earnings.every(({ evidence }) => evidence.facts?.['carrier'] === keys[carrier].box && evidence.facts['client'] === keys[client].box && [evidence.facts['carrierReading'], evidence.facts['clientReading']].every((reading) => reading?.startsWith('0x') === true)), earnings)
  }
}

/** Beside what is paid for carrying, which goes on. */
async function payOverTwoBoxes(street: Street, checks: Checks): Promise<void> {
  const { keys } = street
  await street.ask('a', `pay ${LOCKED}`)
  await becomes(checks, 'a has paid d over b and c', async () => (await street.facts('a')).locked, (list) => list.some(({ kind, amount }) => kind === 'sent' && BigInt(amount) === LOCKED))
  await becomes(checks, 'd has it from a, as it was sent', async () => (await street.facts('d')).locked, (list) => list.some(({ kind, peer, amount }) => kind === 'received' && peer === keys.a.account && BigInt(amount) === LOCKED))
  for (const [at, [payer, payee]] of HOPS.entries()) {
    const beside = async (): Promise<bigint> => {
      const now = await street.facts(payee)
      const channel = now.channels.find(({ partner }) => partner === keys[payer].account)
      return channel?.inFlight === 0 ? BigInt(channel.got) - bookedWith(now, keys[payer]).earned : -1n
    }
    await becomes(checks, `the channel of ${payer} and ${payee} has moved by it and what those behind keep, to the unit`, beside, (moved) => moved === LOCKED + BigInt(HOPS.length - 1 - at))
  }
}
