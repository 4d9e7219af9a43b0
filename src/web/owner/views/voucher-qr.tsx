/**
 * The QR code of one fresh voucher. The box draws it on the printable sheet of the voucher's own batch; the
 * outline is taken from there, so that the page needs no QR encoder and shows exactly what would be printed.
 */
import { useEffect, useState } from 'preact/hooks'
import { pathOf } from '../client.ts'
import { S } from '../strings.ts'

interface Outline {
  readonly viewBox: string
  readonly path: string
}

async function loadOutline(batch: string): Promise<Outline | null> {
  const response = await fetch(pathOf('voucherSheet', { query: { batch } }), { credentials: 'same-origin' })
  if (!response.ok) return null
  const page = new DOMParser().parseFromString(await response.text(), 'text/html') // runs no script of it
  const svg = page.querySelector('svg.qr')
  const viewBox = svg?.getAttribute('viewBox') ?? ''
  const path = svg?.querySelector('path')?.getAttribute('d') ?? ''
  return /^[-\d\s.]+$/.test(viewBox) && /^[MhvzHVZ\d\s.-]+$/.test(path) ? { viewBox, path } : null
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
    <svg class="qr" role="img" aria-label={S.make.qrLabel} viewBox={outline.viewBox}>
      <path fill-rule="evenodd" d={outline.path} />
    </svg>
  )
}
