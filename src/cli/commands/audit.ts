/** `meshbox audit` */
import type { AuditJson } from '../../owner/api/index.ts'
import type { CommandSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'

export const audit: CommandSpec = {
  words: ['audit'],
  summary: 'whether ledger, sessions, channels, chain and bills fit each other',
  details: `Reads only; guests are served meanwhile. Names each difference: what it is, where, how much, and what to do.
Amounts are whole numbers of smallest units. Exit code 1 when there is a difference.`,
  run: async (context) => {
    const answer = await context.busy('comparing the books', context.service.call('audit', {}))
    return { json: answer, text: textOf(answer), exitCode: answer.isSound ? EXIT_OK : EXIT_FAILED }
  },
}

function textOf({ differences, unnamed, looked, unchecked, contracts }: AuditJson): string {
  const named = differences.map(({ check, what, where, amount, advice }) => {
    const figures = amount === null ? '' : `\n  expected ${amount.expected}, found ${amount.found} ${amount.token}`.trimEnd()
    return `${check}: ${what}\n  where: ${where}${figures}\n  do: ${advice}`
  })
  const open = unchecked.map(({ check, why }) => `not compared (${check}): ${why}`)
  const compared = contracts.map(({ contract, token, block, channels, pot }) => `contract ${contract} at block ${block}: ${channels} ${channels === 1 ? 'channel' : 'channels'} with ${pot} ${token}`)
  const rows = Object.values(looked).reduce((sum, count) => sum + count, 0)
  const count = differences.length + unnamed
  const verdict = count === 0 ? `No difference in ${rows} comparisons.` : `${count} ${count === 1 ? 'difference' : 'differences'} in ${rows} comparisons${unnamed > 0 ? `, the first ${differences.length} are named` : ''}.`
  return [...named, ...open, ...compared, verdict].join('\n')
}
