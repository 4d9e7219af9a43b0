/** What the owner has to look at: each alarm by itself, and taking one away once he has, with what that does. */
import type { PhotonAlarmJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showDateTime } from '../format.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Notice, Refused, say } from '../ui/notice.tsx'
import * as S from './channel-strings.ts'

export const alarmRoute = ({ id }: PhotonAlarmJson): string => `alarm-${id}`

export function AlarmNotices({ alarms }: { alarms: readonly PhotonAlarmJson[] }) {
  return (
    <>
      {alarms.map((alarm) => (
        <Notice key={alarm.id} level="bad">
          <div class="chain-alarm">
            <p>
              {alarm.text} {alarm.atWallMs !== null && <span class="small">{S.alarmSince(showDateTime(alarm.atWallMs))}</span>}
            </p>
            {alarm.isClearable ? (
              <LinkButton kind="danger-plain" icon="check" small href={hrefOf('channels', alarmRoute(alarm))}>
                {S.alarmLooked}
              </LinkButton>
            ) : (
              <p class="small">{S.alarmPasses}</p>
            )}
          </div>
        </Notice>
      ))}
    </>
  )
}

export function AlarmDialog({ alarm, onClose, onDone }: { alarm: PhotonAlarmJson; onClose: () => void; onDone: () => void }) {
  const clear = useAction(async () => {
    await call('clearPhotonAlarm', { params: { id: alarm.id } })
    say(S.alarmCleared)
    onDone()
  })
  return (
    <Dialog
      title={S.alarmTitle}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="danger" busy={clear.busy} onClick={() => void clear.run()}>
            {S.alarmLooked}
          </Button>
        </>
      }
    >
      <p class="strong">{alarm.text}</p>
      <p>{S.alarmMeans(alarm.code)}</p>
      <Refused text={clear.besides()} />
    </Dialog>
  )
}
