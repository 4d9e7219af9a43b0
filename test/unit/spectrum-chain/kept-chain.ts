/** Chains in temporary stores, and really sealed and verified blocks of the village for them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { openStore } from '../../../src/store/index.ts'
import type { Store, StoreOptions } from '../../../src/store/index.ts'
import { verifyBody } from '../../../src/spectrum/rules/verify-body.ts'
import { verifyHeader } from '../../../src/spectrum/rules/verify-header.ts'
import { applyBlock } from '../../../src/spectrum/rules/round.ts'
import { ZERO_ADDRESS } from '../../../src/spectrum/codec/fields.ts'
import type { ChainBlock, ChainEvent, NewBlock } from '../../../src/spectrum/ports.ts'
import { openChain, startFromGenesis } from '../../../src/spectrum/chain/index.ts'
import { spectrumMigrations } from '../../../src/spectrum/chain/io/migrations.ts'
import type { ChainOptions, ChainStart, KeptChain } from '../../../src/spectrum/chain/index.ts'
import { native } from '../spectrum/curves.ts'
import { GENESIS_ROUND, VILLAGE, sealBlock } from '../spectrum/village.ts'
import type { Person, Spoil } from '../spectrum/village.ts'

export const NOW_SECONDS = 1_800_000_000
export const CLOCK = { wallMs: () => NOW_SECONDS * 1000 }

export function openTestStore(options: Partial<StoreOptions> = {}): Store & { readonly path: string } {
  let path = options.path
  if (path === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'meshbox-chain-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    path = join(folder, 'box.db')
  }
  const store = openStore({ migrations: spectrumMigrations, log: silentLog, ...options, path })
  onTestFinished(() => store.close())
  return Object.assign(store, { path })
}

export const VILLAGE_START: ChainStart = startFromGenesis(native, VILLAGE, GENESIS_ROUND)

export function openTestChain(store: Store = openTestStore(), options: Partial<ChainOptions> = {}): Promise<KeptChain> {
  return openChain({ store, curve: native, network: VILLAGE, clock: CLOCK, log: silentLog, start: VILLAGE_START, ...options })
}

/** All that was told, as it was told. */
export function eventsOf(chain: KeptChain): ChainEvent[] {
  const events: ChainEvent[] = []
  chain.on((event) => events.push(event))
  return events
}

/** Sealed on `parent` and judged by the real rules. */
export function villageBlock(parent: ChainBlock, sealer: Person, from = 'test', spoil: Spoil = {}): NewBlock {
  const { header, body } = sealBlock(VILLAGE, parent, parent.round, sealer, spoil)
  const verified = verifyHeader({ curve: native, network: VILLAGE, nowSeconds: null }, parent, header, parent.round)
  if (!verified.ok) throw new Error(`${verified.code}: ${verified.reason}`)
  const judged = verifyBody(native, VILLAGE, verified, body, null)
  if (!judged.ok) throw new Error(`${judged.code}: ${judged.reason}`)
  return { verified, body, receipts: null, round: applyBlock(parent.round, header.number, verified.signer, judged.volunteer ?? ZERO_ADDRESS).round, from }
}

/** What the chain makes of it. */
export function blockAfter(parent: Pick<ChainBlock, 'totalDifficulty'>, { verified, round }: NewBlock): ChainBlock {
  const { header, hash, signer } = verified
  return { header, hash, signer, sealHash: verified.sealHash, round, totalDifficulty: parent.totalDifficulty + header.difficulty }
}
