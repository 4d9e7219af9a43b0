/** The page's shell over the payee's desk in virtual time; its own signatures; what it may spend and how far ahead. */
import { describe, expect, it } from 'vitest'
import { loadSecp256k1 } from '../../../src/native/index.ts'
import { hexText } from '../../../src/photon/hex-digits.ts'
import { voucherDigest } from '../../../src/photon/stream/digests.ts'
import { StreamPayer } from '../../../src/photon/stream/payer/index.ts'
import type { PayerView } from '../../../src/photon/stream/payer/index.ts'
import { PageStream, STREAMING, block, leadSeconds, spendLimit, streamSigner } from '../../../src/web/stream/index.ts'
import type { BoxLink, LeadChoice, LinkHandlers } from '../../../src/web/stream/index.ts'
import { ANNA, Town, accountOf, paperRecover, paperSign, pass, payerOptions, settle, sha256 } from './stream-town.ts'
import type { PayerOptions } from '../../../src/photon/stream/payer/index.ts'

const KEY1 = Uint8Array.from(Buffer.from('4359f525e2b373089be5fe8f9a4e8ffb6d30e2960918be426217921e1b2547f7', 'hex'))

describe('the page’s own signatures', () => {
  const signer = streamSigner(KEY1)
  const digest = voucherDigest(
    { chainId: 20180430n, contract: `0x${'11'.repeat(20)}` },
    { channel: '0x64e604787cbf194841e7b68d7cd28786f6c9a0a3ab9f8b0a0e87cb4387ab0107', epoch: 3n, cumulative: 1000n, tip: `0x${'11'.repeat(32)}`, steps: 60, unit: 2n },
  )
  it('are those of the specification, and of the box’s own curve', () => {
    expect(hexText(digest)).toBe('0xd7f94caf5fb6965da88a2056d60247147f16bd73fbceec61b97f2f35bd5ba541')
    expect(Buffer.from(signer.sign(digest)).toString('hex')).toBe('3807da41673037d290be786142fd60fcf6a8408a97d9db9292c08fdaf2debfb83f96284354f4706640f6d1009ea1118fe152b924f40636e633d6f946c3fb560e1c')
    expect(signer.address).toBe('0x05e9918f4bcbf3c8307887d421eb02b5e26b6f45')
    expect(loadSecp256k1(null).recoverAddress(digest, signer.sign(digest))).toEqual(new Uint8Array(Buffer.from(signer.address.slice(2), 'hex')))
  })
  it('are recovered, and nobody’s when they are malformed or malleable', () => {
    const good = signer.sign(digest)
    expect(signer.recover(digest, good)).toBe(signer.address)
    const [high, badV] = [Uint8Array.from(good), Uint8Array.from(good)]
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    high.set(Buffer.from((order - BigInt(`0x${Buffer.from(good.subarray(32, 64)).toString('hex')}`)).toString(16).padStart(64, '0'), 'hex'), 32)
    high[64] = good[64] === 27 ? 28 : 27
    badV[64] = 29
    for (const bad of [high, badV, good.subarray(1), new Uint8Array(65), Uint8Array.of(...new Uint8Array(64).fill(255), 27)]) expect(signer.recover(digest, bad)).toBeNull()
  })
})

describe('how far ahead, and how much', () => {
  it.each([
    [STREAMING, false, 90],
    [STREAMING, true, 600],
    [block(30), false, 1800],
    [block(30), true, 1800],
    [block(999), false, 3600],
    [{ visibleSeconds: 0, hiddenSeconds: 9999, blockSeconds: 0 }, true, 600],
  ] as const)('%o, hidden %s: %i s', (choice, isHidden, seconds) => {
    expect(leadSeconds(choice, isHidden)).toBe(seconds)
  })
  it('a block costs its price, plain HTTP no more than the cap', () => {
    const price = { unit: 7n, tickSeconds: 1 }
    expect(spendLimit(1_000_000n, block(10), price, null)).toBe(4200n)
    expect(spendLimit(1000n, block(10), price, null)).toBe(1000n)
    expect(spendLimit(1_000_000n, STREAMING, price, 500n)).toBe(500n)
    expect(spendLimit(400n, STREAMING, price, 500n)).toBe(400n)
  })
})

describe('a page', () => {
  const visit = (town: Town, choice: LeadChoice, changes: Partial<PayerOptions> = {}): { stream: PageStream<PayerView>; hide(value: boolean): void; reconnect(): void; cut(): void; view(): PayerView } => {
    let isHidden = false
    let isCut = false
    let handlers: LinkHandlers | null = null
    let view: PayerView | null = null
    const link: BoxLink = {
      open(given) {
        handlers = given
        given.connected()
      },
      send: (frames) => {
        if (!isCut) town.desk.receive({ device: 'phone', send: (bytes) => (isCut ? undefined : handlers?.received(bytes)) }, frames)
      },
      close: () => undefined,
    }
    const machine = new StreamPayer(payerOptions(changes), { sha256, sign: paperSign(ANNA), recover: paperRecover })
    const stream = new PageStream<PayerView>({ machine, link, time: { now: () => town.time.boottimeMs(), after: (ms, run) => town.time.after(ms, run) }, isHidden: () => isHidden, choice, show: (now) => (view = now) })
    stream.start()
    return {
      stream,
      hide(value) {
        isHidden = value
        stream.visibilityChanged()
      },
      cut: () => (isCut = true),
      reconnect() {
        isCut = false
        handlers?.connected()
      },
      view: () => view ?? machine.view,
    }
  }
  it('pays more in the moment it is hidden', async () => {
    const town = new Town()
    const page = visit(town, STREAMING)
    await settle(town)
    await pass(town, 5)
    expect(page.view().aheadSeconds).toBeLessThanOrEqual(97)
    page.hide(true)
    await settle(town)
    expect(page.view().aheadSeconds).toBeGreaterThanOrEqual(600)
    // The box looks at a few vouchers at a time.
    await pass(town, 1)
    expect(Math.max(...town.service.allowed.values())).toBeGreaterThanOrEqual(600)
  })
  it('goes on where it was after the link broke, and stops to the tick', async () => {
    const town = new Town()
    const page = visit(town, { ...STREAMING, visibleSeconds: 0 })
    await settle(town)
    await pass(town, 20)
    page.cut()
    await pass(town, 10)
    page.reconnect()
    await pass(town, 20)
    page.stream.stop()
    await settle(town)
    expect(page.view().end).toEqual({ why: 'stopped', code: 0 })
    expect(page.view().spent).toBe(7n * BigInt(town.service.total))
    expect(town.desk.earnedOf(accountOf(ANNA).channel)).toBe(page.view().spent)
  })
  it('a block ends by itself when it is used up', async () => {
    const town = new Town()
    const page = visit(town, block(2), { limits: { unit: 7n, total: spendLimit(1_000_000n, block(2), { unit: 7n, tickSeconds: 1 }, null) } })
    await settle(town)
    await pass(town, 140)
    expect(page.view().phase).toBe('over')
    expect(page.view().spent).toBe(120n * 7n)
  })
})
