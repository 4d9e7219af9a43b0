/** A printing run as the list and its own page show it. */
import type { TokenJson, VoucherBatchJson } from '../../../owner/api.ts'
import { pathOf } from '../client.ts'
import { showMoney, unitsOf } from '../money.ts'
import * as S from '../strings.ts'
import { LinkButton } from '../ui/button.tsx'
import { Hidden } from '../ui/notice.tsx'

export function priceText(batch: VoucherBatchJson, token: TokenJson | null): string {
  const price = unitsOf(batch.price)
  if (price === 0n) return S.wordsFree
  return S.vouchersEach(token ? showMoney(price, token) : batch.price.text)
}

/** Unused, used, revoked as parts of a bar; the words stand under it. */
export function UseMeter({ batch }: { batch: VoucherBatchJson }) {
  const width = (part: number): string => `${(part / Math.max(1, batch.count)) * 100}%`
  return (
    <span class="meter" aria-hidden="true">
      {batch.unused > 0 && <i style={{ width: width(batch.unused) }} />}
      {batch.used > 0 && <i class="meter-2" style={{ width: width(batch.used) }} />}
      {batch.revoked > 0 && <i class="meter-3" style={{ width: width(batch.revoked) }} />}
    </span>
  )
}

export function SheetLinks({ batch, primary = false }: { batch: { batch: string }; primary?: boolean }) {
  const query = { batch: batch.batch }
  return (
    <>
      <LinkButton kind={primary ? 'primary' : 'quiet'} small={!primary} icon="print" newTab href={pathOf('voucherSheet', { query })}>
        {S.vouchersPrint}
        <Hidden> {S.vouchersNewTab}</Hidden>
      </LinkButton>
      <LinkButton kind={primary ? 'plain' : 'quiet'} small={!primary} icon="download" download href={pathOf('voucherCsv', { query })}>
        {S.vouchersCsv}
      </LinkButton>
    </>
  )
}
