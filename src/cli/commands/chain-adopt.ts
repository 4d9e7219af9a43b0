/** `meshbox chain adopt HASH` */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { chainStatusText } from './chain-text.ts'

export const chainAdopt: CommandSpec = {
  words: ['chain', 'adopt'],
  summary: 'take a heavier branch after an alarm',
  details: `HASH is the whole hash of the branch's tip, as meshbox chain branches shows it: giving
it is the confirmation. Payments that are on the present chain only are then not there
any more, and what was earned on it is not taken out of the books.`,
  arguments: [{ name: 'HASH' }],
  run: async (context) => {
    const hash = argument(context, 0)
    if (!/^0x[0-9a-fA-F]{64}$/.test(hash)) throw usageError(`HASH: '${hash}' is not a whole hash, 0x and 64 hex digits`)
    const view = await context.service.call('adoptBranch', { body: { hash } })
    return { json: view, text: chainStatusText(view) }
  },
}
