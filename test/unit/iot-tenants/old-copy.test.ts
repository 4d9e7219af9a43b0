/** A backup of the book is put in place: no receipt is signed beside one that is out, and nobody is served before it is known where the chain of hashes goes on. */
import { describe, expect, it } from 'vitest'
import { auditReceipts, receiptDigest } from '../../../src/iot/tenants/receipt/index.ts'
import { noteAccountsBehind } from '../../../src/iot/tenants/io/account-tables.ts'
import type { Receipt } from '../../../src/iot/ports.ts'
import { curve, keccak, opened, sign, tenant, uplink } from './tenant-box.ts'
import type { TenantBox } from './tenant-box.ts'

async function sold(box: TenantBox, from: number, count: number): Promise<void> {
  for (let fCnt = from; fCnt < from + count; fCnt++) expect(await box.take(uplink(fCnt))).toBe('sold')
}

/** The newest receipt, once everything billed is under one. */
async function signed(box: TenantBox): Promise<Receipt> {
  for (let waited = 0; waited < 180_000; waited += 1_000) {
    const [newest] = box.receipts()
    if (newest !== undefined && newest.seq === box.house.admin.tenants()[0]?.account.seq) return newest
    await box.pass(1_000)
  }
  throw new Error('nothing was signed')
}

describe('an old copy of the book', () => {
  it('sells nothing and signs nothing, and goes on at the newest receipt that the payer shows: one story, paid to the unit', async () => {
    const before = await opened()
    await sold(before, 1, 5)
    const out = await signed(before)
    const copy = await opened()
    await sold(copy, 1, 2)
    await signed(copy)
    await copy.store.turn(noteAccountsBehind)
    expect(await copy.take(uplink(6))).toBe('paused')
    expect(copy.house.admin.tenants()[0]).toMatchObject({ isBehind: true, isServed: false })

    const { id } = tenant()
    await copy.house.catchUp(id, out)
    expect(copy.house.admin.tenants()[0]).toMatchObject({ isBehind: false, account: { seq: 5n, cumAmount: out.cumAmount } })
    await sold(copy, 6, 3)
    const newest = await signed(copy)
    const units = copy.house.admin.units(id, { afterSeq: 5n, limit: 10 })
    expect(auditReceipts({ receipts: [out, newest], units, frames: null, gateway: out.gateway, payer: out.tenant }, curve)).toMatchObject({ isValid: true, problems: [], provenUnits: 3 })
    expect(newest.seq).toBe(8n)
    // What the receipt added is earned like what was billed here.
    expect(copy.earned()).toBe(newest.cumAmount)
    await expect(copy.house.catchUp(id, out)).rejects.toMatchObject({ code: 'not-behind' })
    await before.close()
    await copy.close()
  })

  it('takes no receipt of another box, for another payer, or that was changed; and none is needed where none is newer', async () => {
    const box = await opened()
    await sold(box, 1, 3)
    const receipt = await signed(box)
    await box.store.turn(noteAccountsBehind)
    const { id } = tenant()
    const changed = (change: Partial<Receipt>): Receipt => {
      const next = { ...receipt, ...change }
      return 'signature' in change ? next : { ...next, signature: sign(receiptDigest(next, keccak)) }
    }
    const lies: readonly Receipt[] = [
      changed({ gateway: `0x${'77'.repeat(20)}` }),
      changed({ tenant: `0x${'77'.repeat(20)}` }),
      { ...receipt, seq: 900n },
      changed({ signature: new Uint8Array(65) }),
    ]
    for (const lie of lies) await expect(box.house.catchUp(id, lie)).rejects.toMatchObject({ kind: 'input', field: 'receipt' })
    expect(box.house.admin.tenants()[0]).toMatchObject({ isBehind: true })
    await box.house.catchUp(id, null)
    await sold(box, 10, 1)
    expect((await signed(box)).seq).toBe(4n)
    await box.close()
  })
})
