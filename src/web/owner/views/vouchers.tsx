/** Vouchers: every printing run with what is left of it, and the way to make more. */
import type { TokenJson, VoucherBatchJson } from '../../../owner/api.ts'
import { call } from '../client.ts'
import { showDate, showDateTime } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { closeTo, go, hrefOf } from '../router.ts'
import * as S from '../strings.ts'
import { useTariff } from '../tariff.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Pending } from '../ui/notice.tsx'
import { PageHead } from '../ui/page.tsx'
import { priceText, SheetLinks, UseMeter } from './batch-parts.tsx'
import { MakeVouchersDialog } from './make-vouchers.tsx'
import { VoucherBatchView } from './voucher-batch.tsx'

const BATCHES_MS = 15_000

function useBatches() {
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
      <PageHead title={S.vouchersTitle} lead={unused !== undefined && list && list.length > 0 && S.vouchersLead(unused)}>
        {list && list.length > 0 && (
          <Button kind="primary" icon="plus" onClick={() => go('vouchers', 'new')}>
            {S.vouchersMake}
          </Button>
        )}
      </PageHead>
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
