/**
 * From paying to the first packet through: the guest sends the form with its voucher code, and a datagram
 * each half millisecond; the answer is when the first of them was sent that came back from the Internet.
 * Ours has everything in it: HTTP, the code, the commit on disk, the ledger, the kernel. The peer's begins
 * at `ndsctl auth`, what its own splash page would call after all that.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TOWN, Town } from '../support/netns.ts'
import type { GuestHost } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import { boxFiles, socketRequest, startService, waitFor, type Service } from '../support/town-services.ts'
import { boxText } from './box-text.ts'
import { startBoxWorker } from './box-worker.ts'
import type { BoxWorker } from './box-worker.ts'
import type { Bench, BenchPlace, BenchRow } from './measure.ts'
import { summary } from './measure.ts'
import { OpenNds, isOpenNdsInstalled } from './opennds.ts'
import type { Knocked } from './workers/probe.ts'

const ROUNDS = 12
const OURS_PER_ROUND = 10
const WARM_UP = 10
/** They take turns: the portal lets nobody press a button more than once a second for long. */
const GUESTS = 10
const AIM_P50_MS = 5
const AIM_P99_MS = 50
const PORTAL = `http://${TOWN.box4}:2080`

export const firstPacket: Bench = { name: 'first-packet', run }

async function run(place: BenchPlace): Promise<BenchRow[]> {
  const towns: Town[] = []
  const found = async (guests: number): Promise<{ town: Town; payers: Payer[] }> => {
    const town = await Town.create({ guests, addresses: 'static' })
    towns.push(town)
    const echo = startBoxWorker(town.internet, 'echo', null)
    const payers = town.guests.map((guest) => ({ guest, phone: new Phone(guest), probe: startBoxWorker(guest.ns, 'probe', { address: TOWN.internet4 }) }))
    await Promise.all([echo, ...payers.map((payer) => payer.probe)].map((worker) => worker.next()))
    return { town, payers }
  }
  try {
    const ours = await found(GUESTS)
    const box = await PayingBox.start(ours.town, ours.payers, place)
    for (let i = 0; i < WARM_UP; i++) await box.pay()
    const peer = isOpenNdsInstalled() ? await found(1) : null
    if (peer === null) place.say('bench: opennds and iptables are not installed: no peer to compare with')
    const nds = peer === null ? null : await OpenNds.start(peer.town)
    const [times, answers, peerTimes, ratios]: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      const mine: number[] = []
      for (let i = 0; i < OURS_PER_ROUND; i++) {
        const paid = await box.pay()
        mine.push(paid.firstPacketMs)
        answers.push(paid.answerMs)
      }
      times.push(...mine)
      if (nds === null || peer === null) continue
      const theirs = await authoriseWithPeer(nds, peer.payers[0] as Payer)
      peerTimes.push(theirs)
      ratios.push(summary(mine).p50 / theirs)
    }
    await box.stop()
    const took = summary(times)
    return [
      {
        name: 'paid → first packet through',
        unit: 'ms',
        ours: took,
        ...(nds === null ? {} : { peer: { name: 'openNDS', value: summary(peerTimes) }, ratio: summary(ratios).p50 }),
        aim: { text: `p50 ≤ ${AIM_P50_MS}, p99 ≤ ${AIM_P99_MS} ms`, met: took.p50 <= AIM_P50_MS && took.p99 <= AIM_P99_MS },
        note: nds === null ? 'no peer: opennds is not installed' : `peer: openNDS ${versionOf(await nds.version())}, from \`ndsctl auth\`, n=${peerTimes.length}`,
      },
      { name: 'paid → the page answers', unit: 'ms', ours: summary(answers), aim: { text: '', met: null } },
    ]
  } finally {
    for (const town of towns) await town.destroy()
  }
}

interface Payer {
  readonly guest: GuestHost
  readonly phone: Phone
  readonly probe: BoxWorker
}

/** Our service, and guests who pay, are online, and are thrown out again. */
class PayingBox {
  readonly #service: Service
  readonly #payers: readonly Payer[]
  #codes: string[] = []
  #turn = 0

  private constructor(service: Service, payers: readonly Payer[]) {
    this.#service = service
    this.#payers = payers
  }

  static async start(town: Town, payers: readonly Payer[], place: BenchPlace): Promise<PayingBox> {
    const files = boxFiles(join(place.dir, 'first-packet'))
    writeFileSync(files.config, boxText({ dataDir: files.dataDir, controlSocket: files.socket }))
    return new PayingBox(await startService(town.box, files), payers)
  }

  async pay(): Promise<{ firstPacketMs: number; answerMs: number }> {
    const { phone, probe } = this.#payers[this.#turn++ % this.#payers.length] as Payer
    const token = await formToken(phone)
    const form = new URLSearchParams({ token, code: await this.#code() })
    probe.tell(`post ${PORTAL}/redeem ${form.toString()}`)
    const { startedAtMs, firstMs, postedAtMs, status } = await probe.next<Knocked>()
    if (status !== 303 || firstMs === null || postedAtMs === null) throw new Error(`the voucher was answered with ${status}, first packet ${firstMs}`)
    await this.#endSession()
    return { firstPacketMs: firstMs - startedAtMs, answerMs: postedAtMs - startedAtMs }
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  async #code(): Promise<string> {
    if (this.#codes.length === 0) {
      const made = await this.#control<{ vouchers: { code: string }[] }>('POST', '/api/vouchers', { packageId: 'day', count: 200 })
      this.#codes = made.vouchers.map((voucher) => voucher.code)
    }
    return this.#codes.pop() ?? ''
  }

  async #endSession(): Promise<void> {
    const { sessions } = await this.#control<{ sessions: { id: string; state: string }[] }>('GET', '/api/sessions?state=open')
    for (const { id } of sessions) await this.#control('POST', `/api/sessions/${id}/kick`)
  }

  async #control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await socketRequest(this.#service.files.socket, method, path, body)
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return JSON.parse(answer.body) as T
  }
}

async function authoriseWithPeer(nds: OpenNds, { guest, probe }: Payer): Promise<number> {
  probe.tell('wait')
  const askedAtMs = nds.authorise(guest)
  const { firstMs } = await probe.next<Knocked>()
  if (firstMs === null) throw new Error('openNDS let nothing through within 10 s')
  await nds.deauthorise(guest)
  return firstMs - askedAtMs
}

/** Opens the page until there is one: a box that sees a device for the first time may ask it to wait a moment. */
function formToken(phone: Phone): Promise<string> {
  return waitFor('the portal to show its form', async () => /name="token" value="([^"]*)"/.exec((await phone.open(`${PORTAL}/`)).body)?.[1])
}

function versionOf(text: string): string {
  return /\d+\.\d+\.\d+\S*/.exec(text)?.[0] ?? 'of unknown version'
}
