/** Making a batch of vouchers: which package, how many, until when; then print. */
import { useState } from 'preact/hooks'
import type { VoucherCreateReply, VoucherCreateRequest } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, unitsOf } from '../money.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { useTariff } from '../tariff.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, TextField } from '../ui/field.tsx'
import { Pending, Refused } from '../ui/notice.tsx'
import { NoPackages, packageOptions } from './package-choice.tsx'
import { SheetLinks } from './batch-parts.tsx'

const PER_SHEET = 32
const SHEETS = [1, 2, 4]
const MAX_COUNT = 1000

export function MakeVouchersDialog({ onMade, onClose }: { onMade: () => void; onClose: () => void }) {
  const tariff = useTariff()
  const status = useStatus()
  const [packageId, setPackageId] = useState('')
  const [count, setCount] = useState(String(PER_SHEET))
  const [validUntil, setValidUntil] = useState('')
  const [note, setNote] = useState('')
  const [checked, setChecked] = useState(false)
  const [made, setMade] = useState<VoucherCreateReply | null>(null)

  const packages = tariff.data?.packages ?? []
  const chosen = packages.find((one) => one.id === packageId) ?? packages[0]
  const number = /^\d{1,4}$/.test(count.trim()) ? Number(count) : 0
  const isCountRight = number >= 1 && number <= MAX_COUNT

  const make = useAction(async () => {
    if (!chosen) return
    const body: VoucherCreateRequest = {
      packageId: chosen.id,
      count: number,
      ...(validUntil === '' ? {} : { validUntil }),
      ...(note.trim() === '' ? {} : { note: note.trim() }),
    }
    setMade(await call('createVouchers', { body }))
    onMade()
    void status.reload() // it counts the vouchers left to sell
  })

  if (made)
    return (
      <Dialog
        title={S.makeDoneTitle(made.vouchers.length)}
        step="made"
        onClose={onClose}
        foot={
          <Button kind="quiet" onClick={() => setMade(null)}>
            {S.makeAnother}
          </Button>
        }
      >
        <p>{S.makeDoneLead}</p>
        <div class="row">
          <SheetLinks batch={made} primary />
        </div>
      </Dialog>
    )

  const token = tariff.data?.token
  const rest = make.besides('packageId', 'count', 'validUntil', 'note')
  return (
    <Dialog
      title={S.makeTitle}
      wide
      step="form"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isCountRight) void make.run()
      }}
      foot={
        chosen &&
        token && (
          <>
            <span class="foot-note quiet small num">{isCountRight && S.makeTotal(showMoney(unitsOf(chosen.price) * BigInt(number), token))}</span>
            <Button kind="primary" submit busy={make.busy}>
              {S.makeButton(isCountRight ? number : 0)}
            </Button>
          </>
        )
      }
    >
      {!tariff.data && <Pending live={tariff} lines={5} height="48px" />}
      {tariff.data && !chosen && <NoPackages />}
      {tariff.data && chosen && (
        <>
          <Choices
            legend={S.makePackage}
            shownLegend
            layout="grid"
            value={chosen.id}
            options={packageOptions(packages, tariff.data.token)}
            onInput={setPackageId}
            error={make.at('packageId')}
          />
          <div class="stack-tight">
            <TextField
              kind="number"
              label={S.makeCount}
              hint={S.makePerSheet}
              value={count}
              onInput={setCount}
              error={checked && !isCountRight ? S.makeCountWrong : make.at('count')}
              maxLength={4}
            />
            <div class="row">
              {SHEETS.map((sheets) => (
                <Button key={sheets} small pressed={number === sheets * PER_SHEET} onClick={() => setCount(String(sheets * PER_SHEET))}>
                  {S.makeSheets(sheets)}
                </Button>
              ))}
            </div>
          </div>
          <div class="fields-2">
            <TextField
              kind="date"
              label={S.makeValidUntil}
              hint={status.data && !status.data.clock.trusted ? S.makeValidUntrusted : S.makeValidHint}
              value={validUntil}
              onInput={setValidUntil}
              error={make.at('validUntil')}
            />
            <TextField label={S.makeNote} hint={S.makeNoteHint} value={note} onInput={setNote} maxLength={48} error={make.at('note')} />
          </div>
        </>
      )}
      <Refused text={rest} />
    </Dialog>
  )
}
