/** Vouchers: every printing run with what is left of it, and the way to make more. */
import type { TokenJson, VoucherBatchJson } from '../../../owner/api.ts'
import { call, pathOf } from '../client.ts'
import { showDate, showDateTime } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { closeTo, go, hrefOf } from '../router.ts'
import * as S from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Hidden, Pending } from '../ui/notice.tsx'
import { useTariff } from './counter-voucher.tsx'
import { MakeVouchersDialog } from './make-vouchers.tsx'
import { VoucherBatchView } from './voucher-batch.tsx'

const BATCHES_MS = 15_000

export function useBatches() {
  return useLive('batches', () => call('voucherBatches', {}), BATCHES_MS)
}

export function VouchersView({ id }: { id: string | null }) {
  const batches = useBatches()
  const tariff = useTariff()
  const token = tariff.data?.token ?? null
  if (id !== null && id !== 'new') return <VoucherBatchView batch={id} token={token} summary={batches.data?.batches.find((one) => one.batch === id) ?? null} onChanged={() => void batches.reload()} />

  const list = batches.data?.batches
  const singles = list?.filter((one) => one.count === 1) ?? []
  const unused = list?.reduce((sum, one) => sum + one.unused, 0)
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{S.vouchersTitle}</h1>
          {unused !== undefined && list && list.length > 0 && <p>{S.vouchersLead(unused)}</p>}
        </div>
        {list && list.length > 0 && (
          <Button kind="primary" icon="plus" onClick={() => go('vouchers', 'new')}>
            {S.vouchersMake}
          </Button>
        )}
      </div>
      {!list && (
        <div class="card card-pad">
          <Pending live={batches} lines={4} height="64px" />
        </div>
      )}
      {list?.length === 0 && (
        <div class="card">
          <Empty icon="ticket" title={S.vouchersNone} text={S.vouchersNoneText}>
            <Button kind="primary" icon="plus" onClick={() => go('vouchers', 'new')}>
              {S.vouchersMake}
            </Button>
          </Empty>
        </div>
      )}
      {list && list.length > singles.length && (
        <ul class="batches">
          {list
            .filter((one) => one.count > 1)
            .map((batch) => (
              <BatchCard key={batch.batch} batch={batch} token={token} />
            ))}
        </ul>
      )}
      {singles.length > 0 && <Singles singles={singles} token={token} />}
      {id === 'new' && (
        <MakeVouchersDialog
          onMade={() => void batches.reload()}
          onClose={() => closeTo('vouchers')}
        />
      )}
    </div>
  )
}

/** Vouchers made one by one at the counter: a line each, folded away. */
function Singles({ singles, token }: { singles: readonly VoucherBatchJson[]; token: TokenJson | null }) {
  return (
    <details class="card">
      <summary class="line">
        <span class="line-text">
          <span class="strong">{S.vouchersSingle(singles.length)}</span>
          <span class="quiet small">{S.vouchersSingleLead}</span>
        </span>
        <Icon name="down" size={18} />
      </summary>
      <ul class="lines">
        {singles.map((one) => (
          <li key={one.batch} class="line line-link line-slim">
            <div class="line-text">
              <a class="cover" href={hrefOf('vouchers', one.batch)}>
                {one.label}
              </a>
              <span class="quiet tiny">{showDateTime(one.createdWallMs)}</span>
            </div>
            <span class="quiet small">{S.vouchersStates[one.unused > 0 ? 'unused' : one.used > 0 ? 'used' : 'revoked']}</span>
            <span class="num strong nowrap">{token ? showMoney(unitsOf(one.price), token) : one.price.text}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}

function BatchCard({ batch, token }: { batch: VoucherBatchJson; token: TokenJson | null }) {
  return (
    <li class="card batch">
      <div class="batch-main line-link">
        <div class="row-apart">
          <a class="cover batch-name" href={hrefOf('vouchers', batch.batch)}>
            {batch.label}
          </a>
          <span class="num strong nowrap">{priceText(batch, token)}</span>
        </div>
        <UseMeter batch={batch} />
        <div class="row-apart small quiet">
          <span class="num">{S.vouchersCounts(batch.unused, batch.used, batch.revoked)}</span>
          <span class="nowrap">{showDate(batch.createdWallMs)}</span>
        </div>
      </div>
      <div class="batch-foot">
        <SheetLinks batch={batch} />
      </div>
    </li>
  )
}

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
