/** `meshbox tool channel-id`: needs no service. */
import { argument, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { CONTRACT_OPTION, addressOf, addressOption, photonAnswer } from './tool-photon-answer.ts'

export const toolChannelId: CommandSpec = {
  words: ['tool', 'channel-id'],
  summary: 'the id of the channel between two accounts, as JSON',
  details: `Prints one line of JSON. The accounts A and B, the token and the contract make the id; it is
the same for every life of the channel. Works without the service.`,
  arguments: [{ name: 'A' }, { name: 'B' }],
  options: [{ name: 'token', value: 'ADDRESS', help: "the token's address" }, CONTRACT_OPTION],
  run: (context) =>
    photonAnswer((inspect) => {
      const [account, partner] = [addressOf(argument(context, 0), 'A'), addressOf(argument(context, 1), 'B')]
      const [token, contract] = [addressOption(context, 'token'), addressOption(context, 'contract')]
      if (token === null || contract === null) throw usageError(`--${token === null ? 'token' : 'contract'} is needed`)
      if (account === partner) throw usageError('A and B are the same')
      const curve = inspect.toolCurve()
      return { ok: true, channel: inspect.channelId((data) => curve.keccak256(data), account, partner, token, contract) }
    }),
}
