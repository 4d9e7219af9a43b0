/** `meshbox backup FILE` */
import { resolve } from 'node:path'
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { bytes } from '../text.ts'

export const backup: CommandSpec = {
  words: ['backup'],
  summary: 'copy of the books while the service runs',
  details: `FILE must not exist yet; the service writes it. It holds voucher codes and earnings:
keep it like money. Keys and password are not in it (meshbox identity words).`,
  arguments: [{ name: 'FILE' }],
  run: async (context) => {
    const path = resolve(context.io.cwd, argument(context, 0))
    const answer = await context.busy('copying the books', context.service.call('backup', { body: { path } }))
    return { json: answer, text: `${answer.path}: ${bytes(answer.bytes)}` }
  },
}
