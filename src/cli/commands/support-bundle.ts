/** `meshbox support-bundle FILE` */
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { writeNewFile } from '../files.ts'
import { bytes } from '../text.ts'

export const supportBundle: CommandSpec = {
  words: ['support-bundle'],
  summary: 'state and log without secrets, as tar.gz',
  details: `FILE must not exist yet. Passwords, keys, codes and words are not in it, and devices
go by short names that mean nothing outside the bundle. Look into it before you
send it on all the same.`,
  arguments: [{ name: 'FILE' }],
  run: async (context) => {
    const bundle = await context.busy('gathering', context.service.call('supportBundle', {}))
    const path = writeNewFile(context.io, argument(context, 0), bundle)
    return { json: { path, bytes: bundle.length }, text: `${path}: ${bytes(bundle.length)}` }
  },
}
