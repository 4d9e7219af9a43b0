/** The verified chain as Photon asks for it: the running Spectrum room behind `ChainPort`. */
import { ZERO_HASH, asError, type Cancel, type Clock, type Hex, type Log } from '../base/index.ts'
import type { ChainLog, ChainPoint, ChainPort } from '../photon/index.ts'
import { hashTransaction, mayContain, type Keccak, type KnownHeader, type Receipt, type Spectrum } from '../spectrum/index.ts'

export interface PhotonChainParts {
  readonly spectrum: Pick<Spectrum, 'chain' | 'reads' | 'status'>
  readonly keccak: Keccak
  /** Addresses and topics of logs that matter: blocks without any, by their headers' blooms, are not fetched. */
  readonly marks: readonly Hex[]
  readonly clock: Clock
  readonly log: Log
}

/** Older than so many block times, a head says nothing about now (specs/photon.md 3.6). */
const STALE_BLOCKS = 10

export function photonChain({ spectrum, keccak, marks, clock, log }: PhotonChainParts): ChainPort {
  const { chain, reads } = spectrum
  const { chainId, periodSeconds } = spectrum.status().network
  let headMs: number | null = null
  // As long as the room runs, which is longer than Photon does.
  chain.on((event) => {
    if (event.kind === 'head') headMs = clock.boottimeMs()
  })

  const known = (point: ChainPoint): KnownHeader | null => {
    const at = chain.headerAt(point.number)
    return at?.hash === point.hash ? at : null
  }
  /** What cannot be had now is null; a source's failure is not ours. */
  const tried = async <T>(what: string, read: () => Promise<T | null>): Promise<T | null> => {
    try {
      return await read()
    } catch (thrown) {
      log.debug(`${what} is not to be had now`, { error: asError(thrown).message })
      return null
    }
  }
  const isOfInterest = ({ header }: KnownHeader): boolean => marks.some((mark) => mayContain(keccak, header.bloom, mark))
  const logsOf = async (block: KnownHeader): Promise<readonly (readonly ChainLog[])[] | null> => {
    const [receipts, body] = [await reads.receipts(block), await reads.body(block)]
    if (receipts === null || body === null) return null
    const hashes = body.transactions.map((transaction) => hashTransaction(keccak, transaction))
    let logIndex = 0
    return receipts.map((receipt: Receipt, index) => receipt.logs.map((entry) => ({ ...entry, logIndex: logIndex++, transactionHash: hashes[index] ?? ZERO_HASH })))
  }

  return {
    chainId,
    head: () => pointOf(chain.head()),
    safe() {
      const safe = chain.safe()
      return safe === null ? null : pointOf(safe)
    },
    isFrozen() {
      if (chain.alarm() !== null) return true
      const { state, headAgeSeconds } = spectrum.status().sync
      if (headAgeSeconds !== null) return headAgeSeconds > STALE_BLOCKS * periodSeconds
      // Without a clock: blocks have to come, and nobody may be known to have more of them.
      return state === 'syncing' || headMs === null || clock.boottimeMs() - headMs > STALE_BLOCKS * periodSeconds * 1000
    },
    at(number) {
      const block = chain.headerAt(number)
      return block === null ? null : pointOf(block)
    },
    async logs(point) {
      const block = known(point)
      if (block === null) return null
      return isOfInterest(block) ? tried('a block’s logs', async () => (await logsOf(block))?.flat() ?? null) : []
    },
    async storage(point, contract, slot) {
      const block = known(point)
      return block === null ? null : tried('a contract’s storage', () => reads.storage(block, contract, slot))
    },
    async account(point, address) {
      const block = known(point)
      return block === null ? null : tried('an account', () => reads.account(block, address))
    },
    send: (transaction) => reads.send(transaction),
    async receipt(transactionHash) {
      const place = chain.transaction(transactionHash)
      const block = place === null ? null : chain.headerAt(place.number)
      if (place === null || block === null || block.hash !== place.blockHash) return null
      const receipts = await tried('a receipt', () => reads.receipts(block))
      const receipt = receipts?.[place.index]
      if (receipt === undefined) return null
      const logs = await tried('a receipt’s logs', () => logsOf(block))
      const gasUsed = receipt.cumulativeGasUsed - (receipts?.[place.index - 1]?.cumulativeGasUsed ?? 0n)
      return { point: pointOf(block), succeeded: receipt.succeeded, gasUsed, logs: logs?.[place.index] ?? [] }
    },
    async view(point, contract, data) {
      const block = known(point)
      const result = block === null ? null : await tried('a call', () => reads.call(block, contract, data))
      if (result === null) return null
      return result.status === 'returned' ? result.output : 'reverted'
    },
    onHead(listener): Cancel {
      const cancel = chain.on((event) => {
        if (event.kind === 'head') listener(pointOf(event.head), event.removed.reduce<number | null>((lowest, { header }) => (lowest === null || header.number < lowest ? header.number : lowest), null))
      })
      return () => cancel()
    },
  }
}

function pointOf({ header, hash }: KnownHeader): ChainPoint {
  return { number: header.number, hash, timeSeconds: header.timeSeconds }
}
