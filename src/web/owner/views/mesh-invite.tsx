/** A code for another box: for how many, for how long, and then as a picture and as text. */
import { useState } from 'preact/hooks'
import type { MeshInviteReply } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import * as S from './mesh-strings.ts'

const MAX_USES = 32
const MAX_DAYS = 366
/** What a reader of QR codes wants around one. */
const QUIET = 4

const wholeIn = (text: string, most: number): number | null => (/^\d{1,3}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= most ? Number(text) : null)

export function InviteDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [uses, setUses] = useState('1')
  const [days, setDays] = useState('')
  const [checked, setChecked] = useState(false)
  const [made, setMade] = useState<MeshInviteReply | null>(null)
  const [usesNumber, daysNumber] = [wholeIn(uses, MAX_USES), wholeIn(days, MAX_DAYS)]
  const isRight = usesNumber !== null && (days.trim() === '' || daysNumber !== null)
  const invite = useAction(async () => {
    setMade(await call('meshInvite', { body: { uses: usesNumber ?? 1, ...(daysNumber === null ? {} : { days: daysNumber }) } }))
    onDone()
  })
  if (made !== null) return <MadeStep made={made} onClose={onClose} />
  return (
    <Dialog
      title={S.inviteTitle}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void invite.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={invite.busy}>
            {S.inviteButton}
          </Button>
        </>
      }
    >
      <TextField kind="number" label={S.inviteUses} value={uses} onInput={setUses} maxLength={3} error={checked && usesNumber === null ? S.inviteUsesWrong : invite.at('uses')} autofocus />
      <TextField kind="number" label={S.inviteDays} value={days} onInput={setDays} maxLength={3} error={checked && days.trim() !== '' && daysNumber === null ? S.inviteDaysWrong : invite.at('days')} />
      <p class="quiet">{S.inviteText}</p>
      <Refused text={invite.besides('uses', 'days')} />
    </Dialog>
  )
}

function MadeStep({ made, onClose }: { made: MeshInviteReply; onClose: () => void }) {
  const { code, number, qr } = made
  const side = qr.modules + 2 * QUIET
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code)
      say(S.copied)
    } catch {
      say(S.copyFailed) // no clipboard without a certificate: the code can be marked by one click
    }
  }
  return (
    <Dialog
      title={S.inviteMade(number)}
      step="made"
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => void copy()}>{S.copy}</Button>
          <Button kind="primary" onClick={onClose}>
            {W.wordsDone}
          </Button>
        </>
      }
    >
      <div class="mesh-invite">
        <svg class="qr" role="img" aria-label={S.inviteQr} viewBox={`${-QUIET} ${-QUIET} ${side} ${side}`} shape-rendering="crispEdges">
          <path fill-rule="evenodd" d={qr.path} />
        </svg>
        <p class="small quiet">{S.inviteHow}</p>
        <code class="mesh-code mono tiny" tabIndex={0} aria-label={S.inviteCode} role="textbox" aria-readonly="true">
          {code}
        </code>
        <p class="small">{S.inviteText}</p>
      </div>
    </Dialog>
  )
}
