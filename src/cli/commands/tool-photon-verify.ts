/** `meshbox tool photon verify`: needs no service. */
import { usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { readInput } from './tool-answer.ts'
import { CHAIN_OPTION, CONTRACT_OPTION, addressOption, domainOptions, isJson, packetOf, photonAnswer } from './tool-photon-answer.ts'

export const toolPhotonVerify: CommandSpec = {
  words: ['tool', 'photon', 'verify'],
  summary: 'a packet, a signature or a lock of Photon, judged, as JSON',
  details: `Reads a packet in hex, or JSON. With packet: may name sender, locks, token and
partner, and what is named must fit. With payload (balance-proof, update-delegation,
unlock-delegation, settle, withdraw, disposed, voucher, peer-binding), its fields,
signature and signer: who signed. With lock and proof, or with locks: which root, and
whether it is root. Prints one line of JSON. Works without the service. Exit code 1
when something does not fit.`,
  options: [{ name: 'sender', value: 'ADDRESS', help: 'who must have signed a packet given in hex' }, CHAIN_OPTION, CONTRACT_OPTION],
  run: (context) =>
    photonAnswer(async (inspect) => {
      const sender = addressOption(context, 'sender')
      const [domain, text] = [domainOptions(context), await readInput(context)]
      if (isJson(text) && sender !== null) throw usageError('--sender goes with a packet in hex; JSON names its own')
      if (isJson(text)) return inspect.verifyJson(inspect.toolCurve(), domain, inspect.parseFields(text))
      return inspect.verifyPacket(inspect.toolCurve(), domain, packetOf(text), new inspect.Fields(sender === null ? {} : { sender }, ''))
    }),
}
