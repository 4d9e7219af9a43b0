/** The mesh page, alive: asked again while it is shown; dialogs over it by the address. A box that is in no mesh is shown how to join one. */
import { useAction } from '../action.ts'
import { ApiError, call } from '../client.ts'
import { useLive } from '../live.ts'
import { closeTo } from '../router.ts'
import { useStatus } from '../status.ts'
import { say } from '../ui/notice.tsx'
import { WaitingPage } from '../ui/page.tsx'
import type { MeshJoiningJson } from '../../../owner/api.ts'
import { MeshBoxDialog } from './mesh-box-dialog.tsx'
import { InviteDialog } from './mesh-invite.tsx'
import { JoinDialog, OutsidePage } from './mesh-join.tsx'
import type { JoinVerb } from './mesh-join.tsx'
import * as S from './mesh-strings.ts'
import { MeshPage } from './mesh.tsx'

const EVERY_MS = 3_000
const SLOW_MS = 15_000
const JOIN_VERBS: readonly JoinVerb[] = ['join', 'begin', 'leave', 'undo']

export function MeshView({ id }: { id: string | null }) {
  const box = useStatus()
  const isOn = box.data?.mesh === true
  const view = useLive(isOn ? 'mesh' : 'no-mesh', async () => (isOn ? call('meshView', {}) : null), EVERY_MS)
  const joining = useLive('mesh/joining', filesState, SLOW_MS)
  const reload = (): void => void Promise.all([view.reload(), joining.reload()])
  const takeBack = useAction(async (number: number) => {
    await call('meshTakeBack', { params: { id: String(number) } })
    say(S.takenBack)
    await view.reload()
  })
  const leave = (): void => closeTo('mesh')
  const done = (): void => {
    leave()
    reload()
  }
  const verb = JOIN_VERBS.find((one) => one === id)
  const known = joining.data?.state ?? null
  const dialog = verb !== undefined && known !== null ? <JoinDialog key={verb} verb={verb} onClose={leave} onDone={done} /> : null
  if (box.data === null || joining.data === null || (isOn && view.data === null))
    return <WaitingPage title={S.title} live={box.data === null ? box : joining.data === null ? joining : view} />
  if (view.data === null)
    return (
      <>
        <OutsidePage joining={known} />
        {dialog}
      </>
    )
  return (
    <>
      <MeshPage view={view.data} joining={known} problem={view.error ?? takeBack.besides()} onTakeBack={(number) => void takeBack.run(number)} />
      {id === 'invite' && view.data.status.isOurs && <InviteDialog onClose={leave} onDone={() => void view.reload()} />}
      {id?.startsWith('box-') && <MeshBoxDialog view={view.data} wanted={id.slice(4)} onClose={leave} onChanged={reload} />}
      {dialog}
    </>
  )
}

/** `state` null: the router's files are not this service's. */
async function filesState(): Promise<{ readonly state: MeshJoiningJson | null }> {
  try {
    return { state: await call('meshJoining', {}) }
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.body.error === 'no-router-files') return { state: null }
    throw thrown
  }
}
