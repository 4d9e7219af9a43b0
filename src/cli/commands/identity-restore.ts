/** `meshbox identity restore FOLDER`: needs no service; the new box must not have started yet. */
import { resolve } from 'node:path'
import { silentLog } from '../../base/index.ts'
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readTwelveWords } from './typed-words.ts'

export const identityRestore: CommandSpec = {
  words: ['identity', 'restore'],
  summary: 'give a new box the identity that 12 words stand for',
  details: `FOLDER is the data folder of the new box (option data_dir), before its first start.
Asks for the words, or reads them from standard input. A key that is there already
is never replaced.`,
  arguments: [{ name: 'FOLDER' }],
  run: async (context) => {
    const words = await readTwelveWords(context.io)
    const { restoreIdentity } = await import('../../identity/index.ts')
    const { address } = await restoreIdentity({ dataDir: resolve(context.io.cwd, argument(context, 0)), log: silentLog, words })
    return { json: { address }, text: `Restored: this box is\n${address}` }
  },
}
