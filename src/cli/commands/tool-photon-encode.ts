/** `meshbox tool photon encode`: needs no service. */
import { MeshBoxError, fromHex } from '../../base/index.ts'
import { textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { readInput } from './tool-answer.ts'
import { CHAIN_OPTION, CONTRACT_OPTION, domainOptions, photonAnswer } from './tool-photon-answer.ts'

export const toolPhotonEncode: CommandSpec = {
  words: ['tool', 'photon', 'encode'],
  summary: 'a packet of Photon from JSON, signed',
  details: `Reads JSON with profile (v1 or v2, the default), chainId, contract and message, as
'decode' prints them; amounts are decimal text, bytes are hex. An envelope may have
locks instead of locksroot. A contractSignature that is left out is made with the
key. Prints one line of JSON with the packet. Others on this machine can see the
options of a command: for a key that is worth something, leave --key out and put it
into the JSON as key. Works without the service.`,
  options: [{ name: 'key', value: 'HEX', help: "private key, 32 bytes (default: the JSON's key)" }, CHAIN_OPTION, CONTRACT_OPTION],
  run: (context) =>
    photonAnswer(async (inspect) => inspect.makePacket(inspect.toolCurve(), domainOptions(context), await readInput(context), keyOption(context))),
}

/** The value is not shown again. */
function keyOption(context: Context): Uint8Array | null {
  const text = textOption(context, 'key')
  if (text === undefined) return null
  try {
    return fromHex(text, 'key')
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) throw usageError('--key: not hex digits')
    throw thrown
  }
}
