/** The facts of a session's receipt (portal.md row 25), signed by the box. */
import type { Config } from '../config/index.ts'
import { hashCounters, writeReceipt } from './receipt/index.ts'
import type { ReceiptSigner } from './receipt/index.ts'
import { sessionNumber } from './session-ids.ts'
import { secondsUsed, sum } from './session/index.ts'
import type { Allotment, Session } from './session/index.ts'

export function receiptOf(session: Session, config: Pick<Config, 'main' | 'token'>, signer: ReceiptSigner): string {
  const { allotments, started, ended } = session
  const token = session.token ?? config.token
  const boughtMs = total(allotments, (each) => each.grantedMs)
  return writeReceipt(
    {
      venue: config.main.name,
      receiptNumber: String(sessionNumber(session.id)),
      sessionId: session.id,
      label: allotments.map((each) => each.label).join(' + '),
      boughtSeconds: boughtMs === null ? null : Math.floor(boughtMs / 1000),
      boughtBytes: total(allotments, (each) => each.grantedBytes),
      tokenSymbol: token.symbol,
      tokenDecimals: token.decimals,
      price: sum(allotments, (each) => each.price),
      refunded: sum(allotments, (each) => each.refunded),
      secondsUsed: secondsUsed(session),
      upBytes: session.upBytes,
      downBytes: session.downBytes,
      startedUnixSeconds: unixSeconds(started?.wallMs ?? 0),
      startedTrusted: started?.wallTrusted ?? false,
      endedUnixSeconds: ended === null ? null : unixSeconds(ended.wallMs),
      endedTrusted: ended?.wallTrusted ?? false,
      countersHash: hashCounters(
        session.id,
        session.devices.map(({ mac, used }) => ({ mac, ...used })),
      ),
    },
    signer,
  )
}

/** Signs a text once and remembers it, for the newest `kept` texts: a page that is loaded again costs no signature. */
export function rememberingSigner(signer: ReceiptSigner, kept = 128): ReceiptSigner {
  const signatures = new Map<string, Uint8Array>()
  return {
    address: signer.address,
    signText: (text) => {
      const signature = signatures.get(text) ?? signer.signText(text)
      signatures.delete(text)
      signatures.set(text, signature)
      for (const oldest of signatures.keys()) {
        if (signatures.size <= kept) break
        signatures.delete(oldest)
      }
      return signature
    },
  }
}

/** Null as soon as one of them is not limited. */
function total(allotments: readonly Allotment[], granted: (allotment: Allotment) => number | null): number | null {
  let all = 0
  for (const allotment of allotments) {
    const amount = granted(allotment)
    if (amount === null) return null
    all += amount
  }
  return all
}

/** A clock before 1970 is as wrong as one can be; a receipt has no place for it. */
function unixSeconds(wallMs: number): number {
  return Math.max(0, Math.floor(wallMs / 1000))
}
