import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ZERO_HASH, hexOf, silentLog } from '../../../src/base/index.ts'
import type { Address, Hash } from '../../../src/base/index.ts'
import type { Domain } from '../../../src/photon/index.ts'
import { awaitPartner, channelMachine, openChannel } from '../../../src/photon/channel/index.ts'
import type { ChannelState } from '../../../src/photon/channel/index.ts'
import { Backups, MAX_BACKUP_CHANNELS } from '../../../src/photon/watch/index.ts'
import { watchMigrations } from '../../../src/photon/watch/io/job-table.ts'
import { BACKUP_SIZES, chooseBackup, openBackup, readBackup, reestablishOf, sealBackup } from '../../../src/photon/watch/backup.ts'
import type { BackupRecord } from '../../../src/photon/watch/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store } from '../../../src/store/index.ts'
import { FakeTime, seededRandom } from '../../support/fakes.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import { Air, signerOf } from './lane.ts'

const [BOX, ANN, BEA, CAL] = [1, 2, 3, 4].map((number) => signerOf(person(900 + number))) as [ReturnType<typeof signerOf>, ReturnType<typeof signerOf>, ReturnType<typeof signerOf>, ReturnType<typeof signerOf>]
const DOMAIN: Domain = { profile: 'v2', chainId: 20180430n, contract: `0x${'11'.repeat(20)}` }
const KEY = new Uint8Array(32).fill(9)
const AROUND = 1 + 20 + 8 + 12 + 16 + 65
const mine = { domain: DOMAIN, signer: BOX, key: KEY, randomness: seededRandom(1) }

function record(index: number, nonce = 5n): BackupRecord {
  const key = { channel: hexOf(new Uint8Array(32).fill(index)), epoch: 3n }
  const proof = { ...key, nonce, transferred: 1n << 100n, locksroot: ZERO_HASH, extra: key.channel, signature: new Uint8Array(65).fill(index) }
  return { ...key, token: ANN.self, partner: BEA.self, ownNonce: 77n, ownHash: key.channel, ownTransferred: 12n, ownLocksroot: key.channel, proof: index % 2 === 0 ? null : proof }
}
const records = (count: number): BackupRecord[] => Array.from({ length: count }, (_none, index) => record(index % 250))

describe('a backup', () => {
  it('opens for its owner as it was, and is one of three lengths', () => {
    for (const [count, size] of [[0, 4096], [11, 4096], [12, 16_384], [46, 16_384], [47, 65_536], [MAX_BACKUP_CHANNELS, 65_536]] as const) {
      const blob = sealBackup(mine, 6n, records(count))
      expect([count, blob.length]).toEqual([count, AROUND + size])
      expect(openBackup(mine, blob)).toEqual({ counter: 6n, records: records(count) })
    }
    expect(BACKUP_SIZES).toEqual([4096, 16_384, 65_536])
    expect(() => sealBackup(mine, 1n, records(MAX_BACKUP_CHANNELS + 1))).toThrow(/backup\.records/)
  })

  it('says to its keeper whose it is and how new, and hides the rest', () => {
    const blob = sealBackup(mine, 6n, records(2))
    expect(readBackup(DOMAIN, ANN.recover, blob)).toEqual({ owner: BOX.self, counter: 6n })
    expect(hexOf(blob)).not.toContain(record(1).channel.slice(2))
    expect(hexOf(blob)).not.toContain(BEA.self.slice(2))
    expect(hexOf(sealBackup(mine, 6n, records(2)))).not.toBe(hexOf(blob)) // not even whether anything has changed
  })

  it('cannot be made, changed or made newer by anybody else', () => {
    const blob = sealBackup(mine, 6n, records(2))
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = blob.with(at, (blob[at] ?? 0) ^ change)
        expect('refused' in readBackup(DOMAIN, ANN.recover, changed)).toBe(true)
        expect(openBackup(mine, changed)).toBeNull()
      }),
      { seed: 51, numRuns: 200, examples: [[0, 1], [28, 1], [40, 1], [blob.length - 1, 1], [blob.length - 66, 1]] },
    )
    expect(openBackup({ ...mine, signer: ANN }, blob)).toBeNull()
    expect(openBackup({ ...mine, key: new Uint8Array(32) }, blob)).toBeNull() // the owner’s signature, another key
    expect(openBackup({ ...mine, domain: { ...DOMAIN, chainId: 1n } }, blob)).toBeNull()
  })

  it('is never a reason to throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (blob) => {
        expect(openBackup(mine, blob)).toBeNull()
      }),
      { seed: 52, numRuns: 500 },
    )
  })

  it('of several is the newest, and tells who gave an old one, a broken one, or whether all are too old', () => {
    const [old, newest] = [sealBackup(mine, 6n, records(1)), sealBackup(mine, 8n, records(3))]
    const copies = [{ holder: ANN.self, blob: old }, { holder: BEA.self, blob: newest }, { holder: CAL.self, blob: newest.with(100, 1) }]
    expect(chooseBackup(mine, copies, 0n)).toEqual({ newest: { counter: 8n, records: records(3) }, behind: [ANN.self], broken: [CAL.self], isRolledBack: false })
    expect(chooseBackup(mine, copies.slice(0, 1), 8n)).toMatchObject({ newest: { counter: 6n }, isRolledBack: true })
    expect(chooseBackup(mine, [], 0n)).toEqual({ newest: null, behind: [], broken: [], isRolledBack: false })
  })
})

describe('what is restored', () => {
  const KECCAK = (data: Uint8Array): Uint8Array => native.keccak256(data)
  const open = (own: Address, partner: Address, nonces: readonly [bigint, bigint], hashes: readonly [Hash, Hash]): ChannelState => {
    const state = openChannel({ domain: DOMAIN, token: CAL.self, own, partner, key: { channel: record(1).channel, epoch: 3n }, settleTimeout: 40_000, role: 'core', ownDeposit: 1000n, partnerDeposit: 1000n, openBlock: 1 })
    const proofOf = (nonce: bigint, extra: Hash) => ({ ...state.key, nonce, transferred: nonce, locksroot: ZERO_HASH, extra, signature: new Uint8Array(65) })
    return {
      ...state,
      own: { ...state.own, nonce: nonces[0], transferred: nonces[0], proof: proofOf(nonces[0], hashes[0]) },
      partner: { ...state.partner, nonce: nonces[1], transferred: nonces[1], proof: proofOf(nonces[1], hashes[1]) },
    }
  }
  const [H1, H2] = [record(1).channel, record(3).channel]

  it.each([
    ['agrees when nothing has happened since', 77n, 5n, 'in-sync'],
    ['learns that the partner has seen more of it than it knows', 80n, 5n, 'must-return'],
    ['learns that the partner has sent more', 77n, 9n, 'must-resend'],
  ] as const)('%s', (_what, seenByPartner, sentByPartner, wanted) => {
    const partner = awaitPartner(open(ANN.self, BOX.self, [sentByPartner, seenByPartner], [H1, H2]))
    const message = reestablishOf({ ...record(1), partner: ANN.self, ownNonce: 77n, ownHash: H2, proof: { ...(record(1).proof as NonNullable<BackupRecord['proof']>), nonce: 5n, extra: H1 } })
    const taken = channelMachine(KECCAK).receive(partner, { message, sender: BOX.self, extra: ZERO_HASH, signature: null, packet: new Uint8Array() }, { block: 10, isFrozen: false } as never)
    expect(taken.ok && taken.facts.map((fact) => fact.kind)).toEqual([wanted])
  })
})

describe('backups among neighbours', () => {
  let dir: string
  let air: Air
  let time: FakeTime
  let stores: Store[]
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'photon-backup-'))
    air = new Air()
    time = new FakeTime()
    stores = []
  })
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()))
    rmSync(dir, { recursive: true })
  })

  function box(signer: typeof BOX, maxOwners = 8): { backups: Backups; store: Store } {
    const store = openStore({ path: join(dir, `${stores.length}`, 'box.sqlite'), migrations: watchMigrations, log: silentLog })
    stores.push(store)
    const backups = new Backups({ domain: DOMAIN, signer, key: KEY, store, transport: air.at(signer.self), randomness: seededRandom(stores.length), clock: time, log: silentLog, maxOwners })
    backups.start()
    return { backups, store }
  }
  /** The keepers' disks are faster than nothing, so this waits for them. */
  const settled = async (isTrue: () => boolean): Promise<void> => {
    for (let turn = 0; turn < 2000 && !isTrue(); turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(isTrue()).toBe(true)
  }
  const keepers: readonly Address[] = [ANN.self, BEA.self]

  it('come back after everything is lost, the newest of all copies, and the counter goes on', async () => {
    box(ANN)
    box(BEA)
    const { backups } = box(BOX)
    expect(await backups.put(records(1), keepers)).toBe(1n)
    await settled(() => backups.keepersOf(1n).length === 2)
    air.away.add(BEA.self)
    await backups.put(records(3), keepers)
    await settled(() => backups.keepersOf(2n).length === 1)
    air.away.clear()
    backups.stop()

    const fresh = box(BOX).backups // an empty disk, the same key
    fresh.ask()
    const restored = await fresh.restored()
    expect(restored).toEqual({ newest: { counter: 2n, records: records(3) }, behind: [BEA.self], broken: [], isRolledBack: false })
    expect(await fresh.put(records(3), keepers)).toBe(3n)
    await settled(() => fresh.keepersOf(3n).length === 2)
  })

  it('warn a box that runs on an old disk, as soon as a keeper has something newer', async () => {
    box(ANN)
    const { backups } = box(BOX)
    for (let time = 0; time < 3; time++) await backups.put(records(1), [ANN.self])
    await settled(() => backups.keepersOf(3n).length === 1)
    backups.stop()
    const old = box(BOX).backups
    expect(old.newerAt).toEqual([])
    await old.put(records(1), [ANN.self]) // its first; the keeper has the third
    await settled(() => old.newerAt.length === 1)
    old.ask()
    expect((await old.restored()).newest?.counter).toBe(3n)
  })

  it('are given to their owner only, and kept for so many owners', async () => {
    const keeper = box(ANN, 1)
    const { backups } = box(BOX)
    await backups.put(records(1), [ANN.self])
    await settled(() => backups.keepersOf(1n).length === 1)
    air.sent = []
    await keeper.backups.receive(CAL.self, Uint8Array.of(0x44))
    expect(air.sent.filter(({ frame }) => frame.length > 1)).toEqual([])
    const other = box(CAL).backups
    await other.put(records(1), [ANN.self])
    // Somebody else's blob under one's own name.
    await keeper.backups.receive(CAL.self, Uint8Array.of(0x42, ...sealBackup(mine, 9n, [])))
    expect(keeper.store.read((tx) => tx.get<{ n: number }>('SELECT count(*) AS n FROM photon_kept_backup'))?.n).toBe(1)
    expect(other.keepersOf(1n)).toEqual([])
  })

  it('cannot wear out a keeper’s flash', async () => {
    const keeper = box(ANN)
    air.at(BOX.self)
    for (let counter = 1n; counter <= 40n; counter++) await keeper.backups.receive(BOX.self, Uint8Array.of(0x42, ...sealBackup(mine, counter, [])))
    expect(keeper.store.stats().commits).toBeLessThanOrEqual(11)
    time.advance(60_000)
    await keeper.backups.receive(BOX.self, Uint8Array.of(0x42, ...sealBackup(mine, 41n, [])))
    expect(keeper.store.read((tx) => tx.get<{ counter: string }>('SELECT counter FROM photon_kept_backup'))?.counter).toBe('41')
  })

  it('are not taken from somebody who was not asked', async () => {
    const { backups } = box(BOX)
    await backups.receive(ANN.self, Uint8Array.of(0x45, ...sealBackup(mine, 5n, records(1))))
    expect((await backups.restored()).newest).toBeNull()
  })
})
