/** Says that the box does not answer, when it is asked again, and lets the owner ask at once. */
import { useCell } from '../cell.ts'
import { connection, tryNow } from '../connection.ts'
import { useSecond } from '../live.ts'
import * as S from '../strings.ts'
import { Button } from './button.tsx'

export function ConnectionBanner() {
  const { lost, nextTryAt } = useCell(connection)
  const now = useSecond(lost)
  return (
    <div role="status" class={lost ? 'banner' : 'hidden-text'}>
      {lost && (
        <>
          <span>{S.netLost}</span>
          <span class="num" aria-hidden="true">
            {S.netRetryIn(Math.max(0, Math.ceil((nextTryAt - now) / 1000)))}
          </span>
          <Button kind="quiet" small onClick={tryNow}>
            {S.netRetryNow}
          </Button>
        </>
      )}
    </div>
  )
}
