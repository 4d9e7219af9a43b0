/** `meshbox identity show` */
import type { CommandSpec } from '../command.ts'
import { pairs } from '../text.ts'

export const identityShow: CommandSpec = {
  words: ['identity', 'show'],
  isDefault: true,
  summary: 'address and public keys of the box',
  run: async ({ service }) => {
    const { identity } = await service.call('settings', {})
    return {
      json: identity,
      text: pairs([
        ['Address', identity.address],
        ['Miner', identity.minerAddress],
        ['Public key', identity.publicKey],
        ['Voucher key', identity.voucherPublicKey],
        ['Words', identity.recoveryWordsShown ? 'recovery words were shown' : 'recovery words not shown yet: meshbox identity words'],
      ]),
    }
  },
}
