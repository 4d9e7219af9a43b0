/** One box of the mesh: what is known of it, and what the owner can do about it. Each step says what follows before it is ordered. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { MeshStandingJson, MeshViewJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showDuration } from '../format.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Notice, Refused, say } from '../ui/notice.tsx'
import { BoxCarriages, carriagesWith, openText } from './mesh-box-carriages.tsx'
import { linkText } from './mesh-boxes.tsx'
import { keyOf } from './mesh-graph.ts'
import { nameOf, priceText } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

const MAX_REASON = 160

export interface MeshBoxProps {
  readonly view: MeshViewJson
  /** As `keyOf` gives it. */
  readonly wanted: string
  readonly onClose: () => void
  readonly onChanged: () => void
}

type Sure = 'ban' | 'expel' | 'end' | 'write-off'
type Step = 'look' | Sure

export function MeshBoxDialog(props: MeshBoxProps) {
  const { view, wanted, onClose } = props
  const node = view.map.nodes.find((each) => keyOf(each) === wanted)
  const peer = view.peers.find(({ box }) => box === (node?.box ?? wanted))
  const member = view.members.find(({ box }) => box === (node?.box ?? wanted))
  const [step, setStep] = useState<Step>('look')
  if (node === undefined && peer === undefined && member === undefined && carriagesWith(view, wanted).all.length === 0)
    return (
      <Dialog title={S.unnamed} toRead onClose={onClose}>
        <p>{S.noNode}</p>
      </Dialog>
    )
  const box = node?.box ?? peer?.box ?? member?.box ?? (node === undefined ? wanted : null)
  const name = nameOf(node ?? { name: peer?.name ?? null, box, originator: peer?.originator ?? null, standing: peer?.standing ?? null })
  if (step !== 'look' && box !== null) return <SureStep {...props} box={box} name={name} step={step} onBack={() => setStep('look')} />
  return <LookStep {...props} node={node} peer={peer} standing={node?.standing ?? peer?.standing ?? member?.standing ?? null} name={name} box={box} onStep={setStep} />
}

/** What needs no second question, and what is said when it is done. */
const DONE = { meshUnban: S.unbanDone, meshPardon: S.pardonDone, meshCarriageReadmit: S.readmitDone } as const

interface LookProps extends MeshBoxProps {
  readonly node: MeshViewJson['map']['nodes'][number] | undefined
  readonly peer: MeshViewJson['peers'][number] | undefined
  readonly standing: MeshStandingJson | null
  readonly name: string
  readonly box: string | null
  readonly onStep: (step: Step) => void
}

function LookStep({ view, node, peer, standing, name, box, onClose, onChanged, onStep }: LookProps) {
  const done = (text: string): void => {
    say(text)
    onChanged()
  }
  const order = useAction(async (verb: keyof typeof DONE) => {
    await call(verb, { params: { id: box ?? '' } })
    done(DONE[verb])
  })
  const carriages = carriagesWith(view, box)
  const price = priceText(node?.price ?? null, view.status.token)
  return (
    <Dialog
      title={<bdi>{name}</bdi>}
      toRead
      step="look"
      onClose={onClose}
      foot={
        box !== null && (
          <div class="foot-grid">
            {peer?.ban ? (
              <Button busy={order.busy} onClick={() => void order.run('meshUnban')}>
                {S.unban}
              </Button>
            ) : (
              <Button kind="danger-plain" onClick={() => onStep('ban')}>
                {S.ban}
              </Button>
            )}
            {view.status.isOurs &&
              (standing === 'expelled' ? (
                <Button busy={order.busy} onClick={() => void order.run('meshPardon')}>
                  {S.pardon}
                </Button>
              ) : (
                <Button kind="danger-plain" icon="leave" onClick={() => onStep('expel')}>
                  {S.expel}
                </Button>
              ))}
            {carriages.mayEnd && (
              <Button kind="danger-plain" onClick={() => onStep('end')}>
                {S.end}
              </Button>
            )}
            {carriages.mayReadmit && (
              <Button busy={order.busy} onClick={() => void order.run('meshCarriageReadmit')}>
                {S.readmit}
              </Button>
            )}
            {carriages.mayWriteOff && (
              <Button kind="danger-plain" onClick={() => onStep('write-off')}>
                {S.writeOff}
              </Button>
            )}
          </div>
        )
      }
    >
      {peer?.ban && <Notice level="warn">{S.bannedFor(peer.ban.forSeconds, peer.ban.reason)}</Notice>}
      <dl class="facts small">
        {node !== undefined && (
          <Fact name={S.facts.link}>
            <span class={node.isGone ? 'warn-text' : undefined}>{linkText(view, node)}</span>
          </Fact>
        )}
        {node !== undefined && node.forSeconds !== null && !node.isGone && <Fact name={S.facts.since}>{showDuration(node.forSeconds)}</Fact>}
        {standing !== null && (
          <Fact name={S.facts.standing}>
            {S.standings[standing]}
            <span class="block tiny quiet">{S.standingHints[standing]}</span>
          </Fact>
        )}
        {peer !== undefined && <Fact name={S.facts.talks}>{peer.isConnected ? S.talksYes(peer.roundTripMs) : S.talksNo}</Fact>}
        {price !== null && <Fact name={S.facts.price}>{price}</Fact>}
        {node?.isGateway === true && <Fact name={S.internet}>{node.gateway === null ? S.gateway : S.gatewayOf(S.speed(node.gateway.downKbit))}</Fact>}
        {box !== null && (
          <Fact name={S.facts.box}>
            <span class="mono tiny">{box}</span>
          </Fact>
        )}
        {node?.originator != null && (
          <Fact name={S.facts.originator}>
            <span class="mono tiny">{node.originator}</span>
          </Fact>
        )}
        {peer !== undefined && peer.address !== '' && (
          <Fact name={S.facts.address}>
            <span class="mono tiny">{peer.address}</span>
          </Fact>
        )}
      </dl>
      <BoxCarriages view={view} choices={carriages} />
      <Refused text={order.besides()} />
    </Dialog>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

interface SureProps extends MeshBoxProps {
  readonly box: string
  readonly name: string
  readonly step: Sure
  readonly onBack: () => void
}

/** What follows is said first; `reason` is the field for why, where it is asked. */
const SURE = {
  ban: { title: S.banTitle, button: S.ban, done: S.banDone, reason: S.banReason },
  expel: { title: S.expelTitle, button: S.expel, done: S.expelDone, reason: null },
  end: { title: S.endTitle, button: S.end, done: S.endDone, reason: S.endReason },
  'write-off': { title: S.writeOffTitle, button: S.writeOff, done: S.writeOffDone, reason: null },
} as const

function SureStep({ view, box, name, step, onBack, onClose, onChanged }: SureProps) {
  const [reason, setReason] = useState('')
  const { title, button, done, reason: reasonLabel } = SURE[step]
  const order = useAction(async () => {
    await send(step, box, reason.trim())
    say(done)
    onClose()
    onChanged()
  })
  return (
    <Dialog
      title={title(name)}
      step={step}
      onClose={onClose}
      onSubmit={() => void order.run()}
      foot={
        <>
          <Button onClick={onBack}>{W.wordsBack}</Button>
          <Button kind="danger" submit busy={order.busy}>
            {button}
          </Button>
        </>
      }
    >
      <p>{textOf(step, view, box)}</p>
      {reasonLabel !== null && <TextField label={reasonLabel} value={reason} onInput={setReason} maxLength={MAX_REASON} error={order.at('reason')} />}
      <Refused text={order.besides('reason')} />
    </Dialog>
  )
}

function send(step: Sure, id: string, reason: string): Promise<unknown> {
  const body = reason === '' ? {} : { reason }
  switch (step) {
    case 'ban':
      return call('meshBan', { params: { id }, body })
    case 'expel':
      return call('meshExpel', { params: { id } })
    case 'end':
      return call('meshCarriageEnd', { params: { id }, body })
    case 'write-off':
      return call('meshCarriageWriteOff', { params: { id } })
  }
}

function textOf(step: Sure, view: MeshViewJson, box: string): string {
  switch (step) {
    case 'ban':
      return S.banText
    case 'expel':
      return S.expelText
    case 'end':
      return S.endText
    case 'write-off':
      return S.writeOffText(openText(carriagesWith(view, box)))
  }
}
