/**
 * Two boxes and our own chain: contracts deployed, a channel opened, filled, closed, updated, unlocked and settled, all by
 * duties that the scheduler signs and sends, and all seen through the follower, with a reorganisation in the middle.
 * Blocks are built, executed and proved by src/spectrum, before SIP004 (Byzantium) and after it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ZERO_HASH, bytesOf, concatBytes, silentLog } from '../../../src/base/index.ts'
import type { Address, Hex } from '../../../src/base/index.ts'
import { DutyDesk, SCHEDULE_RULES, callsOf, channelFollower, encodeCall, loadPosition, proveChannel, savePosition, transactionSealer, v2LogReader } from '../../../src/photon/chain/index.ts'
import { chainMigrations } from '../../../src/photon/chain/io/duty-tables.ts'
import { encodeValues } from '../../../src/photon/chain/abi.ts'
import type { ToldEffect, ToldEvent } from '../../../src/photon/chain/index.ts'
import { PHOTON_ARTIFACTS } from '../../../src/photon/contracts/artifacts.ts'
import type { BalanceProof, ChannelKey, DueDuty, Duty } from '../../../src/photon/index.ts'
import { channelId, createDigests, lockHash } from '../../../src/photon/wire/index.ts'
import { openStore } from '../../../src/store/index.ts'
import plainToken from '../photon-contracts/artifacts/PlainToken.json' with { type: 'json' }
import { secretHashOf, secretOf } from '../photon-contracts/channel.ts'
import { native } from '../spectrum/curves.ts'
import { person } from '../spectrum/village.ts'
import type { Person } from '../spectrum/village.ts'
import { GAS_PRICE } from '../spectrum-execute/town.ts'
import { SpectrumPort } from './spectrum-port.ts'

const keccak = (bytes: Uint8Array): Uint8Array => native.keccak256(bytes)
const [ALICE, BOB, MAKER] = [person(700), person(701), person(702)]
const folder = mkdtempSync(join(tmpdir(), 'photon-spectrum-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Place {
  readonly chain: SpectrumPort
  readonly photon: Address
  readonly registry: Address
  readonly token: Address
}

async function build(sip004: number | undefined): Promise<Place> {
  const chain = await SpectrumPort.of([ALICE, BOB, MAKER], sip004)
  const creation = (bytecode: string, ...values: readonly (bigint | Hex)[]): Uint8Array => concatBytes(bytesOf(bytecode as Hex), encodeValues(values))
  const registry = await chain.deploy(MAKER, creation(PHOTON_ARTIFACTS.SecretRegistry.bytecode))
  const photon = await chain.deploy(MAKER, creation(PHOTON_ARTIFACTS.PhotonV2.bytecode, chain.chainId, registry))
  const token = await chain.deploy(MAKER, creation(plainToken.bytecode))
  for (const one of [ALICE, BOB]) await chain.call(one, token, encodeCall(keccak, 'mint(address,uint256)', [one.address, 1000n]))
  return { chain, photon, registry, token }
}

/** A node's chain side, whole. */
class Box {
  readonly events: ToldEvent[] = []
  readonly told: ToldEffect[] = []
  readonly failures: unknown[] = []
  readonly #store
  readonly #desk: DutyDesk
  readonly #follower

  constructor({ chain, photon, registry }: Place, who: Person, name: string) {
    const store = openStore({ path: join(folder, `${name}.db`), migrations: chainMigrations, log: silentLog })
    const site = { profile: 'v2', contract: photon, registry, self: who.address } as const
    const desk = new DutyDesk({
      store,
      chain,
      tools: { keccak, account: who.address, seal: transactionSealer(keccak, chain.chainId, (digest) => native.sign(digest, who.key)), callsOf: (due) => callsOf(keccak, site, due.duty), rules: SCHEDULE_RULES },
      gasPriceWei: () => GAS_PRICE,
      told: (effect) => this.told.push(effect),
      failed: (thrown) => this.failures.push(thrown),
    })
    this.#store = store
    this.#desk = desk
    this.#follower = channelFollower({
      chain,
      read: v2LogReader(keccak, photon, registry),
      firstBlock: 1,
      sink: {
        position: () => store.read((tx) => loadPosition(tx, photon)),
        take: async (point, events) => {
          await store.turn((tx) => {
            savePosition(tx, photon, point)
            desk.noteEvents(tx, events)
          })
          this.events.push(...events)
        },
        lost: (number) => this.failures.push(number),
        failed: (thrown) => this.failures.push(thrown),
      },
    })
  }

  put(...duties: readonly DueDuty[]): Promise<void> {
    return this.#store.turn((tx) => this.#desk.put(tx, duties))
  }

  async look(): Promise<void> {
    await this.#follower.catchUp()
    await this.#desk.look()
  }

  get isIdle(): boolean {
    const { jobs, slots } = this.#store.read((tx) => this.#desk.pending(tx))
    return jobs.length + slots.length === 0
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

describe.each([['Byzantium', 1_000_000], ['Petersburg', undefined]] as const)('on a Spectrum chain under %s', (rules, sip004) => {
  it('a channel lives and ends by duties alone', async () => {
    const place = await build(sip004)
    const { chain, photon, token } = place
    const [a, b] = [new Box(place, ALICE, `${rules}-a`), new Box(place, BOB, `${rules}-b`)]
    const key: ChannelKey = { channel: channelId(keccak, ALICE.address, BOB.address, token, photon), epoch: 1n }
    const digests = createDigests({ profile: 'v2', chainId: chain.chainId, contract: photon }, keccak)
    const proofBy = (payer: Person, nonce: bigint, transferred: bigint, locksroot = ZERO_HASH): BalanceProof => {
      const terms = { ...key, nonce, transferred, locksroot, extra: ZERO_HASH }
      return { ...terms, signature: native.sign(digests.balanceProof(terms), payer.key) }
    }
    const due = (duty: Duty, fromBlock = 0, deadlineBlock: number | null = null): DueDuty => ({ duty, key, fromBlock, deadlineBlock })
    const turn = async (count = 1): Promise<void> => {
      for (let block = 0; block < count; block++) {
        await Promise.all([a.look(), b.look()])
        await chain.mine()
      }
    }
    const head = (): number => chain.head()?.number ?? 0
    const happened = (box: Box): readonly string[] => box.events.map((event) => event.kind)

    await a.put(due({ kind: 'open', token, partner: BOB.address, amount: 300n, settleTimeout: 60, epoch: 1n }))
    await turn(20)
    expect(happened(b)).toEqual(['opened', 'deposited'])
    await b.put(due({ kind: 'deposit', token, participant: BOB.address, partner: ALICE.address, amount: 100n, settleTimeout: 60, epoch: 1n }))
    await turn(3)
    // That block, and what was in it, is another branch's now: it goes out again by itself.
    chain.undo(3)
    await turn(24)
    expect(happened(a)).toEqual(['opened', 'deposited', 'deposited'])
    expect([a.isIdle, b.isIdle]).toEqual([true, true])

    const secret = secretOf(1)
    const lock = { expiration: head() + 500, amount: 40n, secretHash: secretHashOf(secret) }
    const withLock = proofBy(ALICE, 2n, 50n, lockHash(keccak, lock))
    await a.put(due({ kind: 'close', token, partner: BOB.address, proof: proofBy(BOB, 4n, 30n) }))
    await turn(1)
    const closed = head()
    await b.put(due({ kind: 'update', token, partner: ALICE.address, proof: withLock }, closed, closed + 60), due({ kind: 'register-secret', secret }, closed, lock.expiration))
    await turn(2)
    await b.put(due({ kind: 'unlock', token, partner: ALICE.address, transferred: 50n, lock, merkleProof: [] }, closed, closed + 60))
    await turn(20)
    expect(happened(a).slice(3)).toEqual(['closed', 'updated', 'secret', 'unlocked'])
    const settleBlock = a.events.map((event) => (event.kind === 'closed' ? event.settleBlock : 0)).find((block) => block > 0) ?? 0
    const safe = chain.safe()
    if (safe === null) throw new Error('the chain is too short')
    expect(await proveChannel(chain, keccak, safe, photon, key.channel, [ALICE.address, BOB.address])).toMatchObject({ state: 'closed', epoch: 1n, settleBlock, sides: [{ deposit: 300n, nonce: 2n }, { deposit: 100n, nonce: 4n }] })

    const sides = [{ participant: ALICE.address, transferred: 90n, locksroot: withLock.locksroot }, { participant: BOB.address, transferred: 30n, locksroot: ZERO_HASH }] as const
    // Both want it; one of them comes first, and the other one's is pointless or fails.
    for (const box of [a, b]) await box.put(due({ kind: 'settle', token, sides }, settleBlock + 258))
    await turn(settleBlock + 258 - head() + 80)
    const settled = a.events.filter((event) => event.kind === 'settled')
    expect(settled).toMatchObject([{ cooperative: false, amounts: ALICE.address < BOB.address ? [240n, 160n] : [160n, 240n] }])
    expect(settled[0]?.block).toBe(settleBlock + 258)
    const balance = (owner: Address): Promise<bigint> => chain.ask(token, encodeCall(keccak, 'balanceOf(address)', [owner]))
    expect([await balance(ALICE.address), await balance(BOB.address), await balance(photon)]).toEqual([940n, 1060n, 0n])
    expect([a.isIdle, b.isIdle, a.failures, b.failures]).toEqual([true, true, [], []])
    for (const box of [a, b]) expect(box.told.filter((effect) => effect.kind === 'alarm')).toEqual([])
    await Promise.all([a.close(), b.close()])
  })
})
