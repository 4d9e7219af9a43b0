/** One voucher for the guest at the counter: pick a package, then a large code and its QR to show. */
import { useState } from 'preact/hooks'
import type { TokenJson, VoucherJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, unitsOf } from '../money.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { useTariff } from '../tariff.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices } from '../ui/field.tsx'
import { Pending, Refused } from '../ui/notice.tsx'
import { NoPackages, packageOptions } from './package-choice.tsx'
import { VoucherQr } from './voucher-qr.tsx'

export function CounterVoucherDialog({ onClose }: { onClose: () => void }) {
  const tariff = useTariff()
  const status = useStatus()
  const [packageId, setPackageId] = useState('')
  const [made, setMade] = useState<VoucherJson | null>(null)
  const packages = tariff.data?.packages ?? []
  const chosen = packages.find((one) => one.id === packageId) ?? packages[0]

  const make = useAction(async () => {
    if (!chosen) return
    const reply = await call('createVouchers', { body: { packageId: chosen.id, count: 1 } })
    setMade(reply.vouchers[0] ?? null)
    void status.reload() // it counts the vouchers left to sell
  })

  if (made && tariff.data) return <MadeDialog voucher={made} token={tariff.data.token} onAnother={() => setMade(null)} onClose={onClose} />
  return (
    <Dialog
      title={S.makeCounterTitle}
      step="choose"
      onClose={onClose}
      onSubmit={() => void make.run()}
      foot={
        chosen && (
          <Button kind="primary" submit wide busy={make.busy}>
            {S.makeCounterButton}
          </Button>
        )
      }
    >
      {!tariff.data && <Pending live={tariff} lines={4} height="54px" />}
      {tariff.data && !chosen && <NoPackages />}
      {tariff.data && chosen && (
        <>
          <p class="quiet">{S.makeCounterLead}</p>
          <Choices
            legend={S.makePackage}
            value={chosen.id}
            options={packageOptions(packages, tariff.data.token)}
            onInput={setPackageId}
            error={make.at('packageId')}
          />
        </>
      )}
      <Refused text={make.besides('packageId')} />
    </Dialog>
  )
}

function MadeDialog(props: { voucher: VoucherJson; token: TokenJson; onAnother: () => void; onClose: () => void }) {
  const { voucher, token, onAnother, onClose } = props
  const price = unitsOf(voucher.price)
  return (
    <Dialog
      title={voucher.label}
      step="made"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onAnother}>{S.makeCounterAnother}</Button>
          <Button kind="primary" onClick={onClose}>
            {S.wordsDone}
          </Button>
        </>
      }
    >
      <div class="handover">
        <p class="handover-code mono" aria-label={`${S.makeCodeLabel}: ${[...voucher.code].join(' ')}`} role="img">
          {voucher.code}
        </p>
        <VoucherQr batch={voucher.batch} />
        <p class="quiet small">{S.makeQrHint}</p>
      </div>
      <div class="collect">
        <span>{S.makeCollect}</span>
        <span class="collect-sum num">{price === 0n ? S.wordsFree : showMoney(price, token)}</span>
      </div>
    </Dialog>
  )
}
