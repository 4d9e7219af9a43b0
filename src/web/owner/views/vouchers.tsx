/** Vouchers: every printing run with what is left of it, and the way to make more. */
import type { TokenJson, VoucherBatchJson } from '../../../owner/api.ts'
import { call, pathOf } from '../client.ts'
import { showDate } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { closeTo, go, hrefOf } from '../router.ts'
import { S } from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Empty, LoadFailed, Skeleton } from '../ui/notice.tsx'
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
  const unused = list?.reduce((sum, one) => sum + one.unused, 0)
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1 tabIndex={-1}>{S.vouchers.title}</h1>
          {unused !== undefined && list && list.length > 0 && <p>{S.vouchers.lead(unused)}</p>}
        </div>
        <Button kind="primary" icon="plus" onClick={() => go('vouchers', 'new')}>
          {S.vouchers.make}
        </Button>
      </div>
      {!list &&
        (batches.error ? (
          <LoadFailed text={batches.error} onRetry={() => void batches.reload()} />
        ) : (
          <div class="card card-pad">
            <Skeleton lines={4} height="64px" />
          </div>
        ))}
      {list?.length === 0 && (
        <div class="card">
          <Empty icon="ticket" title={S.vouchers.none} text={S.vouchers.noneText}>
            <Button kind="primary" icon="plus" onClick={() => go('vouchers', 'new')}>
              {S.vouchers.make}
            </Button>
          </Empty>
        </div>
      )}
      {list && list.length > 0 && (
        <ul class="batches">
          {list.map((batch) => (
            <BatchCard key={batch.batch} batch={batch} token={token} />
          ))}
        </ul>
      )}
      {id === 'new' && (
        <MakeVouchersDialog
          onMade={() => void batches.reload()}
          onClose={() => closeTo('vouchers')}
        />
      )}
    </div>
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
          <span class="num">{S.vouchers.counts(batch.unused, batch.used, batch.revoked)}</span>
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
  if (price === 0n) return S.words.free
  return S.vouchers.each(token ? showMoney(price, token) : batch.price.text)
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
        {S.vouchers.print}
        <span class="hidden-text"> {S.vouchers.newTab}</span>
      </LinkButton>
      <LinkButton kind={primary ? 'plain' : 'quiet'} small={!primary} icon="download" download href={pathOf('voucherCsv', { query })}>
        {S.vouchers.csv}
      </LinkButton>
    </>
  )
}
