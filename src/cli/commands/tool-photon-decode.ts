/** `meshbox tool photon decode`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { readInput } from './tool-answer.ts'
import { CHAIN_OPTION, CONTRACT_OPTION, domainOptions, packetOf, photonAnswer } from './tool-photon-answer.ts'

export const toolPhotonDecode: CommandSpec = {
  words: ['tool', 'photon', 'decode'],
  summary: 'a packet of Photon from standard input, taken apart, as JSON',
  details: `Reads a packet in hex: of the original Photon (v1), a frame of v2, or a frame of a
stream. Prints one line of JSON: its fields, channel id, hash of the lock, digest,
and who signed it. A balance proof is signed for one chain, and in v2 for one
contract: without these options its sender stays null. Works without the service.
Exit code 1 when it is no packet.`,
  options: [CHAIN_OPTION, CONTRACT_OPTION],
  run: (context) => photonAnswer(async (inspect) => inspect.inspectPacket(inspect.toolCurve(), domainOptions(context), packetOf(await readInput(context)))),
}
