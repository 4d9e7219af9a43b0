/** After an alarm: the chain as it is beside a heavier one that was not taken, and taking that one. */
import type { ChainBranchJson, ChainBranchesJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showDateTime } from '../format.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { shortAddress } from './chain-parts.tsx'
import * as S from './chain-strings.ts'

export function BranchesCard({ branches }: { branches: ChainBranchesJson }) {
  if (branches.branches.length === 0) return null
  return (
    <section class="card" aria-labelledby="chain-branches">
      <div class="card-head">
        <div>
          <h2 id="chain-branches">{S.branches}</h2>
          <p>{S.branchesText}</p>
        </div>
      </div>
      <ul class="lines">
        {branches.branches.map((branch) => (
          <li key={branch.tip.hash} class="line line-top">
            <div class="line-text">
              <span class="strong num">{S.branchTip(branch.tip.number)}</span>
              <span class="small quiet num">{S.branchFork(branch.fork.number, branch.takesBack, branch.blocks)}</span>
              <Signers title={S.branchTheirs} signers={branch.signers} />
              <Signers title={S.branchOurs} signers={branch.ourSigners} />
              <span class="branch-take">
                <LinkButton small href={hrefOf('chain', `take-${branch.tip.hash}`)}>
                  {S.adopt}
                </LinkButton>
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Signers({ title, signers }: { title: string; signers: readonly string[] }) {
  return (
    <span class="tiny quiet">
      {title}{' '}
      {signers.map((signer, index) => (
        <span key={signer} class="mono" title={signer}>
          {index > 0 && ', '}
          {shortAddress(signer)}
        </span>
      ))}
    </span>
  )
}

export function AdoptDialog({ branch, onClose, onDone }: { branch: ChainBranchJson; onClose: () => void; onDone: () => void }) {
  const { tip, takesBack } = branch
  const adopt = useAction(async () => {
    await call('adoptBranch', { body: { hash: tip.hash } })
    say(S.adopted)
    onDone()
  })
  return (
    <Dialog
      title={S.adoptTitle}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="danger" busy={adopt.busy} onClick={() => void adopt.run()}>
            {S.adoptButton(takesBack)}
          </Button>
        </>
      }
    >
      <p class="strong num">
        {S.branchTip(tip.number)}, {showDateTime(tip.timeWallMs)}
      </p>
      <p class="mono tiny">{tip.hash}</p>
      <p>{S.adoptConsequence(takesBack)}</p>
      <p class="quiet">{S.adoptRule}</p>
      <Refused text={adopt.besides()} />
    </Dialog>
  )
}
