/** Ends the login; says so when that did not work. */
import { useAction } from '../action.ts'
import { signOut } from '../client.ts'
import * as S from '../strings.ts'
import { Button } from './button.tsx'
import { Refused } from './notice.tsx'

export function SignOutButton({ kind }: { kind: 'quiet' | 'plain' }) {
  const leave = useAction(signOut)
  return (
    <>
      <Button kind={kind} icon="leave" small={kind === 'quiet'} busy={leave.busy} onClick={() => void leave.run()}>
        {S.wordsSignOut}
      </Button>
      <Refused text={leave.besides() === null ? null : S.wordsSignOutFailed} />
    </>
  )
}
