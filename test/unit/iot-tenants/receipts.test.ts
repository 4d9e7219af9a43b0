/** Receipts: what they say, when they come, and every way to lie with them. */
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hexOf } from '../../../src/base/index.ts'
import { auditReceipts, parseAudit, receiptDigest, receiptJson, receiptSigner, unitJson } from '../../../src/iot/tenants/receipt/index.ts'
import type { Audit } from '../../../src/iot/tenants/receipt/index.ts'
import type { BillableUnit, Receipt } from '../../../src/iot/ports.ts'
import { BOX, PAYER, TOKEN, curve, keccak, opened, sign, tenant, turns, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

const RUNS = Number(process.env.MESHBOX_RECEIPT_FUZZ ?? 300)

let box: TenantBox
let receipts: readonly Receipt[]
let units: readonly BillableUnit[]
const audit = (change: Partial<Audit> = {}): ReturnType<typeof auditReceipts> => auditReceipts({ receipts, units, frames: null, gateway: BOX, payer: PAYER, ...change }, curve)
const codes = (change: Partial<Audit>): readonly string[] => [...new Set(audit(change).problems.map((problem) => problem.code))]

beforeEach(async () => {
  box = await opened({}, [tenant({ creditWindow: 1_000_000n })])
  for (let fCnt = 0; fCnt < 12; fCnt++) {
    await box.take(uplink(fCnt, { bytes: 10 * fCnt }))
    if (fCnt % 4 === 3) await box.pass(61_000, 1_000)
  }
  receipts = box.receipts()
  units = box.units()
})
afterEach(() => box.close())

describe('a receipt', () => {
  it('is EIP-712 as another library makes it', () => {
    const receipt = receipts[0]
    if (receipt === undefined) throw new Error('no receipt')
    const types = {
      UplinkReceipt: [
        { name: 'gateway', type: 'address' }, { name: 'tenant', type: 'address' }, { name: 'token', type: 'address' }, { name: 'channel', type: 'bytes32' },
        { name: 'channelEpoch', type: 'uint64' }, { name: 'seq', type: 'uint64' }, { name: 'cumUplinks', type: 'uint64' }, { name: 'cumUnits', type: 'uint64' },
        { name: 'cumDownlinkMs', type: 'uint64' }, { name: 'cumAmount', type: 'uint256' }, { name: 'chainHash', type: 'bytes32' },
      ],
    }
    const { signature: _signature, chainId, ...message } = receipt
    expect(hexOf(receiptDigest(receipt, keccak))).toBe(TypedDataEncoder.hash({ name: 'MeshBox IoT', version: '1', chainId }, types, message))
    expect(receiptSigner(receipt, curve)).toBe(BOX)
  })

  it('comes once a minute while little is owed, and covers all that was billed', () => {
    expect(receipts.map((receipt) => receipt.seq)).toEqual([12n, 8n, 4n])
    const total = units.reduce((sum, unit) => sum + unit.amount, 0n)
    expect(receipts[0]).toMatchObject({ gateway: BOX, tenant: PAYER, token: TOKEN, cumUplinks: 12n, cumAmount: total, chainId: 7n })
    expect(audit()).toMatchObject({ isValid: true, problems: [], provenUnits: 12 })
    expect(audit({ frames: new Set(units.map((unit) => unit.frame)) }).isValid).toBe(true)
  })

  it('comes after 100 units at once, and after a second when half of the window is owed', async () => {
    const got: Receipt[] = []
    box.house.onReceipt((_tenant, receipt) => got.push(receipt))
    for (let fCnt = 100; fCnt < 200; fCnt++) await box.take(uplink(fCnt))
    await turns(10)
    expect(got.map((receipt) => receipt.seq)).toEqual([112n])
    await box.run(box.house.admin.put(tenant({ creditWindow: box.house.admin.tenants()[0]!.owed + 10n })))
    await box.take(uplink(500))
    await box.pass(2_100)
    expect(got.map((receipt) => receipt.seq)).toEqual([112n, 113n])
  })

  it('is signed again when it could not be, and nothing is lost of it', async () => {
    let fails = 3
    const other = box.newHouse(box.store, { signer: { address: BOX, sign: async (digest) => (fails-- > 0 ? Promise.reject(new Error('no key')) : sign(digest)) } })
    await box.run(box.house.stop())
    box.house = other
    await box.run(other.start())
    await box.take(uplink(300))
    await box.pass(120_000, 1_000)
    expect(box.receipts()[0]?.seq).toBe(13n)
    expect(box.earned()).toBe(box.receipts()[0]?.cumAmount)
  })
})

describe('whoever lies with receipts is named', () => {
  const forged = (index: number, change: Partial<Receipt>): readonly Receipt[] => receipts.map((receipt, i) => (i === index ? { ...receipt, ...change } : receipt))
  /** What the box itself could sign. */
  const signed = (receipt: Receipt, change: Partial<Receipt>): Receipt => {
    const changed = { ...receipt, ...change }
    return { ...changed, signature: sign(receiptDigest(changed, keccak)) }
  }

  it('a field was changed: no signature', () => {
    for (const change of [{ cumAmount: 1n }, { seq: 13n }, { cumUnits: 1n }, { chainHash: receipts[1]!.chainHash }, { tenant: TOKEN }, { channelEpoch: 2n }, { chainId: 8n }, { signature: new Uint8Array(65) }] as const)
      expect(codes({ receipts: forged(0, change), units: [], payer: null })).toEqual(['signature'])
  })

  it('of another box, for another payer, of another account', () => {
    expect(codes({ gateway: TOKEN })).toContain('gateway')
    expect(codes({ payer: TOKEN })).toContain('payer')
    expect(codes({ receipts: [receipts[0]!, signed(receipts[1]!, { token: PAYER })], units: [] })).toEqual(['mixed'])
  })

  it('two stories with one number', () => {
    expect(codes({ receipts: [...receipts, signed(receipts[0]!, { cumAmount: receipts[0]!.cumAmount + 1n })], units: [] })).toEqual(['fork'])
    expect(codes({ receipts: [...receipts, receipts[0]!], units }), 'the same one twice is nothing').toEqual([])
  })

  it('sums that go back, or a chain that stands still', () => {
    expect(codes({ receipts: [...receipts, signed(receipts[0]!, { seq: 20n, cumAmount: 1n, chainHash: TOKEN.padEnd(66, '0') as `0x${string}` })], units: [] })).toEqual(['shrinks'])
    expect(codes({ receipts: [...receipts, signed(receipts[0]!, { seq: 20n })], units: [] })).toEqual(['chain'])
  })

  it('units left out, added, changed, or in another order', () => {
    const swapped = [...units]
    ;[swapped[4], swapped[5]] = [{ ...units[5]!, seq: 5n }, { ...units[4]!, seq: 6n }]
    expect(codes({ units: swapped })).toEqual(['chain'])
    expect(codes({ units: units.map((unit) => (unit.seq === 3n ? { ...unit, amount: unit.amount - 1n } : unit)) })).toEqual(['chain'])
    expect(codes({ units: units.filter((unit) => unit.seq !== 3n) })).toEqual(['gap'])
    expect(codes({ units: units.filter((unit) => unit.seq !== 3n).map((unit, i) => ({ ...unit, seq: BigInt(i + 1) })) })).toEqual(['chain'])
    expect(codes({ units: units.slice(2) })).toEqual(['gap'])
  })

  it('sums that are not those of the units', () => {
    const lying = signed(receipts[0]!, { cumAmount: receipts[0]!.cumAmount + 5n })
    expect(codes({ receipts: [lying, ...receipts.slice(1)] })).toEqual(['sums'])
  })

  it('a frame that never came, and one that was billed twice', () => {
    expect(codes({ frames: new Set(units.slice(1).map((unit) => unit.frame)) })).toEqual(['not-received'])
    expect(codes({ units: units.map((unit, i) => (i === 11 ? { ...unit, frame: units[0]!.frame } : unit)) })).toContain('billed-twice')
  })

  it('more units than a frame has, and a dearer unit than agreed, though the box signed them', async () => {
    const phys = Array.from({ length: 12 }, (_, fCnt) => Buffer.from(uplink(fCnt, { bytes: 10 * fCnt })).toString('base64'))
    const { unitsOfFrames, frames } = parseAudit(JSON.stringify({ receipts: [], phyPayloads: phys }))
    expect([...unitsOfFrames.values()]).toEqual([1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5])
    expect(audit({ unitsOfFrames, frames, pricePerUnit: 10n })).toMatchObject({ isValid: true, provenUnits: 12 })
    expect(audit({ pricePerUnit: 9n }).problems.map(({ code }) => code)).toEqual(Array(12).fill('price'))
    // A box that counts a byte too many from the beginning: its chain and its sums are in order.
    const greedy = parseAudit(JSON.stringify({ receipts: [], phyPayloads: [Buffer.from(uplink(3, { bytes: 24 })).toString('base64')] }))
    expect(audit({ unitsOfFrames: new Map([[units[3]!.frame, [...greedy.unitsOfFrames.values()][0]!]]) }).problems).toMatchObject([{ code: 'units', seq: 4n }])
    for (const wrong of ['', '!', 'QPE=', 5, null]) expect(() => parseAudit(JSON.stringify({ receipts: [], phyPayloads: [wrong] }))).toThrow(expect.objectContaining({ kind: 'input' }))
  })

  it('units from a receipt on are enough', () => {
    expect(audit({ units: units.slice(4) })).toMatchObject({ isValid: true, provenUnits: 8 })
  })

  it('any one bit of what is signed or chained is noticed', () => {
    fc.assert(
      fc.property(fc.nat(receipts.length - 1), fc.nat(64), fc.nat(7), (index, byte, bit) => {
        const signature = Uint8Array.from(receipts[index]!.signature)
        signature[byte] = (signature[byte] ?? 0) ^ (1 << bit)
        expect(audit({ receipts: forged(index, { signature }) }).isValid).toBe(false)
      }),
      { numRuns: RUNS },
    )
    fc.assert(
      fc.property(fc.nat(units.length - 1), fc.nat(63), fc.constantFrom('frame', 'tmstUs', 'units', 'amount'), (index, digit, field) => {
        const unit = units[index]!
        const changed = field === 'frame' ? { frame: unit.frame.slice(0, digit) + ((parseInt(unit.frame[digit]!, 16) ^ 1).toString(16) + unit.frame.slice(digit + 1)) } : field === 'amount' ? { amount: unit.amount + 1n } : { [field]: unit[field as 'units'] + 1 }
        expect(audit({ units: units.map((each, i) => (i === index ? { ...each, ...changed } : each)) }).isValid).toBe(false)
      }),
      { numRuns: RUNS },
    )
  })
})

describe('as text', () => {
  it('there and back', () => {
    const text = JSON.stringify({ receipts: receipts.map(receiptJson), units: units.map(unitJson), frames: units.map((unit) => unit.frame) })
    const read = parseAudit(text)
    expect(read.receipts).toEqual(receipts)
    expect(auditReceipts({ ...read, gateway: BOX, payer: PAYER }, curve)).toMatchObject({ isValid: true, provenUnits: 12 })
    expect(parseAudit(JSON.stringify(receiptJson(receipts[0]!))).receipts).toEqual([receipts[0]])
  })

  it('whatever is no receipt is an input error, never another', () => {
    const whole = JSON.stringify({ receipts: receipts.map(receiptJson), units: units.map(unitJson) })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.string({ maxLength: 4 }), fc.nat(8), (at, put, cut) => {
        try {
          const read = parseAudit(whole.slice(0, at) + put + whole.slice(at + cut))
          auditReceipts({ ...read, gateway: null, payer: null }, curve)
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'MeshBoxError', kind: 'input' })
        }
      }),
      { numRuns: RUNS * 3 },
    )
    for (const text of ['', '[]', 'null', '{}', '{"receipts":{}}', '{"receipts":[1]}', '{"receipts":[],"units":[{}]}', '{"receipts":[],"frames":["x"]}'])
      expect(() => parseAudit(text)).toThrow(expect.objectContaining({ kind: 'input' }))
  })
})
