/** `meshbox chain branches` */
import type { ChainBlockJson, ChainBranchesJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { moment, pairs, wrap } from '../text.ts'

export const chainBranches: CommandSpec = {
  words: ['chain', 'branches'],
  summary: 'what there is to choose between after an alarm',
  details: `The chain as it is, and branches that outweigh it and were not taken because they
would take back too much. Ask the people behind the signers which one they are on:
meshbox chain alarm clear stays, meshbox chain adopt HASH takes the other.`,
  run: async ({ service }) => {
    const json = await service.call('chainBranches', {})
    return { json, text: branchesText(json) }
  },
}

function branchesText({ head, totalDifficulty, branches }: ChainBranchesJson): string {
  const own = pairs([['Head', blockText(head)], ['Hash', head.hash], ['Weight', totalDifficulty]])
  if (branches.length === 0) return [own, '', wrap('No heavier branch is known: there is nothing to choose.')].join('\n')
  return [
    own,
    ...branches.flatMap((branch, index) => [
      '',
      pairs([
        [`Branch ${index + 1}`, blockText(branch.tip)],
        ['Hash', branch.tip.hash],
        ['Weight', branch.totalDifficulty],
        ['Forks at', blockText(branch.fork)],
        ['Takes back', `${branch.takesBack} blocks of ours, and has ${branch.blocks}`],
        ...branch.signers.map((signer, at) => [at === 0 ? 'Signed by' : '', signer] as const),
        ...branch.ourSigners.map((signer, at) => [at === 0 ? 'Ours by' : '', signer] as const),
      ]),
    ]),
  ].join('\n')
}

function blockText({ number, timeWallMs }: ChainBlockJson): string {
  return `${number}, ${moment(timeWallMs)} UTC`
}
