/** Joining, beginning, leaving, undoing: what is asked for, then what would change in the router's files, then it is written. */
import { useState } from 'preact/hooks'
import type { MeshJoinReply, MeshJoinRequest, MeshJoiningJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextArea, TextField } from '../ui/field.tsx'
import { Empty, Notice, Refused, say } from '../ui/notice.tsx'
import { PageHead } from '../ui/page.tsx'
import * as S from './mesh-strings.ts'

export type JoinVerb = MeshJoinRequest['do']
const MAX_CODE = 1200
const MAX_NAME = 32
const MAX_CHANNEL = 233
const TITLES = { join: S.joinTitle, begin: S.beginTitle, leave: S.leaveTitle, undo: S.undoTitle } as const

/** The page of a box that is in no mesh. `joining` null: the router's files are not the service's. */
export function OutsidePage({ joining }: { joining: MeshJoiningJson | null }) {
  const community = joining?.community ?? null
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead} />
      <section class="card">
        <Empty icon="mesh" title={community === null ? S.offTitle : S.waitTitle} text={community === null ? S.offText : S.waitText(community.name)}>
          {joining === null ? (
            <p class="small quiet">{S.filesElsewhere}</p>
          ) : (
            <div class="row">
              {community === null ? (
                <>
                  <LinkButton kind="primary" icon="key" href={hrefOf('mesh', 'join')}>
                    {S.join}
                  </LinkButton>
                  <LinkButton icon="plus" href={hrefOf('mesh', 'begin')}>
                    {S.begin}
                  </LinkButton>
                </>
              ) : (
                <>
                  {joining.canUndo && <LinkButton href={hrefOf('mesh', 'undo')}>{S.undo}</LinkButton>}
                  <LinkButton href={hrefOf('mesh', 'leave')}>{S.leave}</LinkButton>
                </>
              )}
            </div>
          )}
        </Empty>
      </section>
    </div>
  )
}

export interface JoinProps {
  readonly verb: JoinVerb
  readonly onClose: () => void
  readonly onDone: () => void
}

export function JoinDialog({ verb, onClose, onDone }: JoinProps) {
  const [code, setCode] = useState('')
  const [name, setName] = useState('')
  const [channel, setChannel] = useState('36')
  const [checked, setChecked] = useState(false)
  const [shown, setShown] = useState<MeshJoinReply | null>(null)
  const channelNumber = /^\d{1,3}$/.test(channel.trim()) && Number(channel) >= 1 && Number(channel) <= MAX_CHANNEL ? Number(channel) : null
  const isNamed = name.trim() !== '' && new TextEncoder().encode(name.trim()).length <= MAX_NAME
  const isRight = verb === 'join' ? code.trim() !== '' : verb === 'begin' ? isNamed && channelNumber !== null : true
  const body: MeshJoinRequest = { do: verb, ...(verb === 'join' ? { code: code.trim() } : {}), ...(verb === 'begin' ? { name: name.trim(), channel: channelNumber ?? 0 } : {}) }
  const look = useAction(async () => setShown(await call('meshJoin', { body })))
  const apply = useAction(async () => {
    await call('meshJoin', { body: { ...body, apply: true } })
    say(S.applied)
    onDone()
  })
  if (shown !== null) return <ChangesStep verb={verb} shown={shown} busy={apply.busy} refused={apply.besides()} onApply={() => void apply.run()} onBack={() => setShown(null)} onClose={onClose} />
  return (
    <Dialog
      title={TITLES[verb]}
      step="ask"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void look.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={look.busy}>
            {S.joinLook}
          </Button>
        </>
      }
    >
      {verb === 'join' && (
        <TextArea label={S.joinCode} hint={S.joinCodeHint} error={checked && !isRight ? S.joinCodeMissing : look.at('code')} rows={5} value={code} maxLength={MAX_CODE} placeholder="meshbox:…" autofocus onInput={setCode} />
      )}
      {verb === 'begin' && (
        <>
          <TextField label={S.beginName} value={name} onInput={setName} maxLength={MAX_NAME} error={checked && !isNamed ? S.beginNameWrong : look.at('name')} autofocus />
          <TextField kind="number" label={S.beginChannel} hint={S.beginChannelHint} value={channel} onInput={setChannel} maxLength={3} error={checked && channelNumber === null ? S.beginChannelWrong : look.at('channel')} />
          <p class="quiet">{S.beginText}</p>
        </>
      )}
      {verb === 'leave' && <p>{S.leaveText}</p>}
      {verb === 'undo' && <p>{S.undoText}</p>}
      <Refused text={look.besides('code', 'name', 'channel')} />
    </Dialog>
  )
}

interface ChangesProps {
  readonly verb: JoinVerb
  readonly shown: MeshJoinReply
  readonly busy: boolean
  readonly refused: string | null
  readonly onApply: () => void
  readonly onBack: () => void
  readonly onClose: () => void
}

function ChangesStep({ verb, shown, busy, refused, onApply, onBack, onClose }: ChangesProps) {
  const { community, changes, notes } = shown
  return (
    <Dialog
      title={S.changesTitle}
      step="changes"
      onClose={onClose}
      onSubmit={onApply}
      foot={
        <>
          <Button onClick={onBack}>{W.wordsBack}</Button>
          <Button kind={verb === 'leave' || verb === 'undo' ? 'danger' : 'primary'} submit busy={busy}>
            {S.apply[verb]}
          </Button>
        </>
      }
    >
      {community !== null && (
        <p>
          <bdi class="strong">{community.name}</bdi>
          <span class="block small quiet">{S.joinMesh(community.meshId, community.meshChannel, community.hasPassword)}</span>
          <span class="block mono tiny">{community.address}</span>
        </p>
      )}
      {changes.length === 0 ? (
        <p class="quiet">{S.changesNone}</p>
      ) : (
        <ul class="mesh-changes small" tabIndex={0} aria-label={S.changesTitle}>
          {changes.map(({ option, from, to }) => (
            <li key={option}>
              <span class="mono tiny quiet">{option}</span>
              <span>{to ?? S.changeGone}</span>
              {from !== null && to !== null && <span class="tiny quiet">{S.changeFrom(from)}</span>}
            </li>
          ))}
        </ul>
      )}
      {notes.map((note) => (
        <Notice key={note} level="warn">
          {note}
        </Notice>
      ))}
      <p class="quiet">{S.inForceAfter}</p>
      <Refused text={refused} />
    </Dialog>
  )
}
