/** `meshbox password set` */
import { MeshBoxError } from '../../base/index.ts'
import type { CommandSpec } from '../command.ts'

const MAX_BYTES = 2048

export const passwordSet: CommandSpec = {
  words: ['password', 'set'],
  summary: "set the owner's password, also a forgotten one",
  details: `Asks for it twice, or reads one line from standard input. At least 10 characters.
All logins on the dashboard end.`,
  run: async ({ io, service }) => {
    let password: string
    if (io.stdinIsTty) {
      password = await io.readSecret('New password (not shown): ')
      if ((await io.readSecret('The same again: ')) !== password)
        throw new MeshBoxError('input', 'the two are not the same; nothing was changed', { code: 'bad-input', field: 'password' })
    } else password = (await io.readStdin(MAX_BYTES)).replace(/\r?\n[^]*$/, '')
    if (password === '') throw new MeshBoxError('input', 'the password is empty; nothing was changed', { code: 'bad-input', field: 'password' })
    const answer = await service.call('setPassword', { body: { password } })
    return { json: answer, text: 'Password set. All logins on the dashboard have ended.' }
  },
}
