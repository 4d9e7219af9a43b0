/** One voucher for the guest at the counter: pick a package, then a large code and its QR to show. */
import { useState } from 'preact/hooks'
import type { PackageJson, TokenJson, VoucherJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showContents } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import { S } from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices } from '../ui/field.tsx'
import { Empty, LoadFailed, Notice, Skeleton } from '../ui/notice.tsx'
import { VoucherQr } from './voucher-qr.tsx'

export function useTariff() {
  return useLive('tariff', () => call('tariff', {}), null)
}

export function packageOptions(packages: readonly PackageJson[], token: TokenJson) {
  return packages.map((one) => {
    const contents = showContents(one.seconds, one.bytes)
    const devices = one.devices > 1 ? S.prices.previewDevices(one.devices) : ''
    return {
      value: one.id,
      label: one.label,
      hint: [contents, devices].filter(Boolean).join(' · '),
      aside: unitsOf(one.price) === 0n ? S.words.free : showMoney(unitsOf(one.price), token),
    }
  })
}

export function NoPackages() {
  return (
    <Empty icon="tag" title={S.make.noPackages} text="">
      <LinkButton kind="primary" href={hrefOf('prices')}>
        {S.make.toPrices}
      </LinkButton>
    </Empty>
  )
}

export function CounterVoucherDialog({ onClose }: { onClose: () => void }) {
  const tariff = useTariff()
  const [packageId, setPackageId] = useState('')
  const [made, setMade] = useState<VoucherJson | null>(null)
  const packages = tariff.data?.packages ?? []
  const chosen = packages.find((one) => one.id === packageId) ?? packages[0]

  const make = useAction(async () => {
    if (!chosen) return
    const reply = await call('createVouchers', { body: { packageId: chosen.id, count: 1 } })
    setMade(reply.vouchers[0] ?? null)
  })

  if (made && tariff.data) return <MadeDialog voucher={made} token={tariff.data.token} onAnother={() => setMade(null)} onClose={onClose} />
  return (
    <Dialog
      title={S.make.counterTitle}
      step="choose"
      onClose={onClose}
      onSubmit={() => void make.run()}
      foot={
        chosen && (
          <Button kind="primary" submit wide busy={make.busy}>
            {S.make.counterButton}
          </Button>
        )
      }
    >
      {!tariff.data && (tariff.error ? <LoadFailed text={tariff.error} onRetry={() => void tariff.reload()} /> : <Skeleton lines={4} height="54px" />)}
      {tariff.data && !chosen && <NoPackages />}
      {tariff.data && chosen && (
        <>
          <p class="quiet">{S.make.counterLead}</p>
          <Choices
            legend={S.make.package}
            value={chosen.id}
            options={packageOptions(packages, tariff.data.token)}
            onInput={setPackageId}
            error={make.at('packageId')}
          />
        </>
      )}
      {make.besides('packageId') && <Notice level="bad">{make.besides('packageId')}</Notice>}
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
          <Button onClick={onAnother}>{S.make.counterAnother}</Button>
          <Button kind="primary" onClick={onClose}>
            {S.words.done}
          </Button>
        </>
      }
    >
      <div class="handover">
        <p class="handover-code mono" aria-label={`${S.make.codeLabel}: ${[...voucher.code].join(' ')}`} role="img">
          {voucher.code}
        </p>
        <VoucherQr batch={voucher.batch} />
        <p class="quiet small">{S.make.qrHint}</p>
      </div>
      <div class="collect">
        <span>{S.make.collect}</span>
        <span class="collect-sum num">{price === 0n ? S.words.free : showMoney(price, token)}</span>
      </div>
    </Dialog>
  )
}
