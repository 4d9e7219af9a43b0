/**
 * The QR code of one fresh voucher. The box draws it on the printable sheet of the voucher's own batch; the
 * outline is taken from there, so that the page needs no QR encoder and shows exactly what would be printed.
 */
import { useEffect, useState } from 'preact/hooks'
import { pathOf } from '../client.ts'
import * as S from '../strings.ts'

/** View box and path data of the first code on a sheet. */
const QR_OUTLINE = /<svg class="qr"[^>]* viewBox="([-\d ]+)"><path [^>]*d="([MHVhvz\d .-]+)"/

interface Outline {
  readonly viewBox: string
  readonly path: string
}

async function loadOutline(batch: string): Promise<Outline | null> {
  const response = await fetch(pathOf('voucherSheet', { query: { batch } }), { credentials: 'same-origin' })
  if (!response.ok) return null
  const found = QR_OUTLINE.exec(await response.text())
  return found?.[1] && found[2] ? { viewBox: found[1], path: found[2] } : null
}

/** Shows nothing when it cannot be had: the typed code is enough. */
export function VoucherQr({ batch }: { batch: string }) {
  const [outline, setOutline] = useState<Outline | null>(null)
  const [missing, setMissing] = useState(false)
  useEffect(() => {
    let ended = false
    loadOutline(batch).then(
      (found) => {
        if (ended) return
        setOutline(found)
        setMissing(found === null)
      },
      () => setMissing(true),
    )
    return () => {
      ended = true
    }
  }, [batch])
  if (missing) return null
  if (!outline) return <div class="skeleton qr" aria-hidden="true" />
  return (
    <svg class="qr" role="img" aria-label={S.makeQrLabel} viewBox={outline.viewBox}>
      <path fill-rule="evenodd" d={outline.path} />
    </svg>
  )
}
