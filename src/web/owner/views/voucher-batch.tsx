/** One printing run: every code with its state, and revoking one or all. */
import { useState } from 'preact/hooks'
import type { TokenJson, VoucherBatchJson, VoucherJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showContents, showDate, showDay } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import * as S from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Tabs } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Pending, Refused, say } from '../ui/notice.tsx'
import { priceText, SheetLinks, UseMeter } from './batch-parts.tsx'

const PAGE = 100
type State = VoucherJson['state']
type Filter = State | 'all'

interface BatchProps {
  readonly batch: string
  readonly token: TokenJson | null
  readonly summary: VoucherBatchJson | null
  readonly onChanged: () => void
}

export function VoucherBatchView({ batch, token, summary, onChanged }: BatchProps) {
  const [filter, setFilter] = useState<Filter>('all')
  const [limit, setLimit] = useState(PAGE)
  const [revoking, setRevoking] = useState<VoucherJson | 'batch' | null>(null)
  const query = { batch, limit, ...(filter === 'all' ? {} : { state: filter }) }
  const vouchers = useLive(`vouchers/${batch}/${filter}/${limit}`, () => call('vouchers', { query }), null)
  const list = vouchers.data?.vouchers
  const first = list?.[0]

  return (
    <div class="page">
      <div class="stack-tight">
        <a class="back-link" href={hrefOf('vouchers')}>
          <Icon name="left" size={18} />
          {S.vouchersAllBatches}
        </a>
        <div class="page-head">
          <div>
            <h1 tabIndex={-1}>{summary?.label ?? first?.label ?? S.vouchersTitle}</h1>
            <p>
              {first && `${showContents(first.seconds, first.bytes, first.tokens === null || token === null ? null : showMoney(unitsOf(first.tokens), token))} · `}
              {summary && `${priceText(summary, token)} · ${S.vouchersMade(showDate(summary.createdWallMs))}`}
              {first?.validUntil && ` · ${S.vouchersValidUntil(showDay(first.validUntil))}`}
            </p>
          </div>
          <div class="row">
            <SheetLinks batch={{ batch }} primary />
          </div>
        </div>
      </div>
      {summary && (
        <div class="card card-pad stack-tight">
          <UseMeter batch={summary} />
          <div class="row-apart wrap">
            <ul class="row legend-row small">
              <li>
                <i class="swatch" aria-hidden="true" /> {summary.unused} {S.vouchersStates['unused']}
              </li>
              <li>
                <i class="swatch swatch-2" aria-hidden="true" /> {summary.used} {S.vouchersStates['used']}
              </li>
              {summary.revoked > 0 && (
                <li>
                  <i class="swatch swatch-3" aria-hidden="true" /> {summary.revoked} {S.vouchersStates['revoked']}
                </li>
              )}
            </ul>
            {token && <span class="quiet small num">{S.vouchersSold(showMoney(unitsOf(summary.price) * BigInt(summary.count - summary.revoked), token))}</span>}
          </div>
        </div>
      )}
      <div class="card">
        <div class="card-head">
          <Tabs
            legend={S.vouchersFilter}
            value={filter}
            onInput={setFilter}
            options={[
              { value: 'all', label: S.wordsAll },
              { value: 'unused', label: S.vouchersStates['unused'] ?? '' },
              { value: 'used', label: S.vouchersStates['used'] ?? '' },
              { value: 'revoked', label: S.vouchersStates['revoked'] ?? '' },
            ]}
          />
          {summary && summary.unused + summary.used > 0 && (
            <Button kind="danger-plain" small onClick={() => setRevoking('batch')}>
              {S.vouchersRevokeBatch}
            </Button>
          )}
        </div>
        {!list && (
          <div class="card-pad">
            <Pending live={vouchers} lines={8} height="40px" />
          </div>
        )}
        {list?.length === 0 && <p class="card-pad quiet">{S.vouchersNoneOfState}</p>}
        {list && list.length > 0 && (
          <ul class="codes">
            {list.map((voucher) => (
              <CodeRow key={voucher.id} voucher={voucher} onRevoke={() => setRevoking(voucher)} />
            ))}
          </ul>
        )}
        {vouchers.data && vouchers.data.nextOffset !== null && limit < 1000 && (
          <div class="card-foot">
            <Button kind="quiet" onClick={() => setLimit(limit === PAGE ? 300 : 1000)}>
              {S.wordsMore}
            </Button>
          </div>
        )}
      </div>
      {revoking !== null && (
        <RevokeDialog
          what={revoking}
          batch={batch}
          summary={summary}
          onClose={() => setRevoking(null)}
          onDone={() => {
            setRevoking(null)
            void vouchers.reload()
            onChanged()
          }}
        />
      )}
    </div>
  )
}

const LOOK: Record<State, { pill: string; dot: string }> = {
  unused: { pill: 'pill-good', dot: '' },
  used: { pill: 'pill-used', dot: '' },
  revoked: { pill: '', dot: 'dot-hollow' },
}

function CodeRow({ voucher, onRevoke }: { voucher: VoucherJson; onRevoke: () => void }) {
  return (
    <li class={`code-row code-${voucher.state}`}>
      <span class="mono code-text">{voucher.code}</span>
      <span class={`pill ${LOOK[voucher.state].pill}`}>
        <span class={`dot ${LOOK[voucher.state].dot}`} aria-hidden="true" />
        {S.vouchersStates[voucher.state]}
      </span>
      <span class="code-actions">
        {voucher.sessionId !== null && (
          <a class="button button-quiet button-icon" href={hrefOf('guests', voucher.sessionId)} aria-label={`${S.vouchersGuest} ${voucher.code}`} title={S.vouchersGuest}>
            <Icon name="guests" />
          </a>
        )}
        {voucher.state !== 'revoked' && (
          <IconButton icon="trash" label={`${S.vouchersRevoke} ${voucher.code}`} onClick={onRevoke} />
        )}
      </span>
    </li>
  )
}

interface RevokeProps {
  readonly what: VoucherJson | 'batch'
  readonly batch: string
  readonly summary: VoucherBatchJson | null
  readonly onClose: () => void
  readonly onDone: () => void
}

function RevokeDialog({ what, batch, summary, onClose, onDone }: RevokeProps) {
  const revoke = useAction(async () => {
    const { revoked } = await call('revokeVouchers', { body: what === 'batch' ? { batch } : { id: what.id } })
    say(S.vouchersRevoked(revoked))
    onDone()
  })
  return (
    <Dialog
      title={what === 'batch' ? S.vouchersRevokeBatchTitle : S.vouchersRevokeTitle(what.code)}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{S.wordsCancel}</Button>
          <Button kind="danger" busy={revoke.busy} onClick={() => void revoke.run()}>
            {S.vouchersRevokeButton}
          </Button>
        </>
      }
    >
      <p>{what === 'batch' ? S.vouchersRevokeBatchLead(summary?.unused ?? 0, summary?.used ?? 0) : S.vouchersRevokeLead}</p>
      <Refused text={revoke.besides()} />
    </Dialog>
  )
}
