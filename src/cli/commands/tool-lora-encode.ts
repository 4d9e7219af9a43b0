/** `meshbox tool lora encode`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { iotAnswer } from './tool-iot-answer.ts'
import { readInput } from './tool-answer.ts'

export const toolLoraEncode: CommandSpec = {
  words: ['tool', 'lora', 'encode'],
  summary: 'a LoRaWAN frame from JSON, encrypted and signed',
  details: `Reads JSON with type: data (mType as UnconfirmedDataUp, devAddr, fCnt, fPort, payload
in hex, fOpts or macCommands, adr, ack, nwkSKey, appSKey; of 1.1 the four session
keys), join-request (joinEui, devEui, devNonce, appKey), or proprietary (body). Prints
one line of JSON with the frame in hex and base64. Works without the service. Exit
code 1 when a field is wrong or missing; it is named.`,
  run: (context) => iotAnswer(async (inspect) => inspect.makeFrame(inspect.Given.of(await readInput(context)))),
}
