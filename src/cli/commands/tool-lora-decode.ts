/** `meshbox tool lora decode`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { FRAME_OPTIONS, givenFrame, iotAnswer } from './tool-iot-answer.ts'

export const toolLoraDecode: CommandSpec = {
  words: ['tool', 'lora', 'decode'],
  summary: 'a LoRaWAN frame from standard input, taken apart, as JSON',
  details: `Reads a PHYPayload in hex or base64, or JSON with phy and keys: nwkSKey, appSKey,
appKey; of 1.1 fNwkSIntKey, sNwkSIntKey, nwkSEncKey, nwkKey; fCnt, devNonce, joinEui,
devEui, confFCnt, dataRate, channel, datr. Prints one line of JSON: fields, whether the MIC is
right, MAC commands, the clear payload, of a join accept the session keys, and the
time on air in microseconds. Others on this machine can see the options of a command:
put keys that are worth something into the JSON. Works without the service. Exit code
1 when it is no frame or its MIC is wrong.`,
  options: FRAME_OPTIONS,
  run: (context) => iotAnswer(async (inspect) => inspect.inspectFrame(await givenFrame(context, inspect))),
}
