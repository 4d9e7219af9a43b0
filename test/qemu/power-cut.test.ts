/**
 * The power is cut at random moments while guests pay, again and again, on the same disk. What a guest or the
 * owner was told is so afterwards, nothing is there twice, the sums are exact, and the file system is clean.
 * Two routers side by side; the check of one cut is the start of the next.
 *
 * MESHBOX_POWER_CUTS sets how many in all (default 20), MESHBOX_QEMU_SEED the random moments.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyOverlay, prepared, Router, type Prepared } from '../../qemu/router.ts'
import { say } from '../../qemu/image/places.ts'
import { replayAndCheckOverlay } from '../../qemu/runner/disk.ts'
import type { SessionsJson, VouchersJson } from '../../src/owner/index.ts'
import { seededRandom } from '../support/fakes.ts'
import { readBooks, readPromises, wrongs, type Books } from './books.ts'
import { phonesCommand, plugPhones } from './measures.ts'

const CUTS = Number(process.env.MESHBOX_POWER_CUTS ?? 20)
const SEED = Number(process.env.MESHBOX_QEMU_SEED ?? Math.floor(Math.random() * 1e9))
const ROUTERS = 2
const PHONES = 8
/** From the first payment on. */
const LONGEST_MS = 4000
const FIRST_PAYMENT_MS = 180_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** One router that loses its power so often. Resolves with what it had sold at the end. */
async function live(made: Prepared, name: string, cuts: number, random: () => number): Promise<Books> {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
  const overlay = join(folder, 'overlay.img')
  const logs: string[] = []
  let router: Router | undefined
  try {
    await copyOverlay(made.overlay, overlay)
    for (let cut = 0; ; cut++) {
      router = await Router.boot({ image: made.image, folder, overlay, processors: 1, hasOwnTime: true })
      const readySeconds = await router.ready()
      const said = readFileSync(router.machine.consoleLog, 'utf8')
      expect(said).not.toMatch(/EXT4-fs error|I\/O error|corrupt/i)
      const box = router
      const books = await readBooks((path) => box.owner('GET', path))
      const promises = readPromises(logs)
      expect(wrongs(books, promises)).toEqual([])
      say(`${name}: cut ${cut} of ${cuts}: ready after ${readySeconds.toFixed(1)} s, ${promises.paid.size} promised payments, ${books.entries.length} booked: right`)
      if (cut === cuts) {
        await expectSameOverCommandLine(router, books)
        return books
      }
      // What is tried is the service and its disk. The stand-in's firewall and DHCP are slow and are tried elsewhere.
      if (cut === 0) await router.machine.sh('/etc/init.d/firewall disable; /etc/init.d/dnsmasq disable; sync')
      const phones = await plugPhones(router, PHONES)
      const log = `paid-${cut}`
      const file = join(router.machine.share, log)
      logs.push(file)
      writeFileSync(file, '')
      const spending = router.machine.start(await phonesCommand(router, phones, { what: 'spend', packageId: 'day', log: `/host/${log}` }), 600)
      let isOver = false
      void spending.finished.then(() => (isOver = true), () => (isOver = true))
      for (const until = performance.now() + FIRST_PAYMENT_MS; !/^paid /m.test(readFileSync(file, 'utf8')); await pause(20))
        if (isOver || performance.now() > until) throw new Error(`${name}: nobody could pay: ${JSON.stringify(isOver ? await spending.finished : 'no end')}`)
      await pause(random() * LONGEST_MS)
      await router.machine.cut()
      const disk = await checkCopy(overlay, folder)
      expect(disk).toMatchObject({ isClean: true })
    }
  } finally {
    await router?.machine.cut()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The guest itself replays the journal when it boots; here a copy shows that this makes the file system whole. */
async function checkCopy(overlay: string, folder: string): Promise<{ isClean: boolean; report: string }> {
  const copy = join(folder, 'check.img')
  await copyOverlay(overlay, copy)
  try {
    return await replayAndCheckOverlay(copy)
  } finally {
    rmSync(copy, { force: true })
  }
}

/** What the owner reads on the router's console says the same. */
async function expectSameOverCommandLine(router: Router, books: Books): Promise<void> {
  const vouchers = await router.cli<VouchersJson>('voucher', 'list', '--state', 'used', '--codes', '--limit', '1000')
  const used = books.vouchers.filter((voucher) => voucher.state === 'used')
  expect(new Set(vouchers.vouchers.map((voucher) => voucher.code))).toEqual(new Set(used.map((voucher) => voucher.code)))
  const sessions = await router.cli<SessionsJson>('sessions', 'list', '--all', '--limit', '500')
  expect(sessions.sessions.length).toBe(Math.min(500, books.sessions.length))
  const earnings = await router.cli<{ earnedTotal: { all: { units: string } } }>('earnings')
  expect(BigInt(earnings.earnedTotal.all.units)).toBe(used.reduce((sum, voucher) => sum + BigInt(voucher.price.units), 0n))
}

describe('a router whose power is cut while guests pay', () => {
  it(`keeps every promise and a clean file system through ${CUTS} cuts`, async () => {
    const made = await prepared()
    expect(existsSync(made.overlay)).toBe(true)
    say(`power cuts: seed ${SEED} (MESHBOX_QEMU_SEED)`)
    const random = seededRandom(SEED)
    const share = Math.ceil(CUTS / ROUTERS)
    const lives = await Promise.allSettled(Array.from({ length: ROUTERS }, (_, index) => live(made, `router ${index + 1}`, Math.min(share, CUTS - index * share), () => random.next())))
    for (const one of lives) if (one.status === 'rejected') throw one.reason
    const sold = lives.map((one) => (one.status === 'fulfilled' ? one.value.entries.length : 0))
    // So that cuts that hit nothing do not pass for a test.
    for (const count of sold) expect(count).toBeGreaterThan(share)
  }, 2_700_000)
})
