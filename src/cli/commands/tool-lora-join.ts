/** `meshbox tool lora join`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { iotAnswer } from './tool-iot-answer.ts'
import { readInput } from './tool-answer.ts'

export const toolLoraJoin: CommandSpec = {
  words: ['tool', 'lora', 'join'],
  summary: 'a join request judged and answered, with the keys both sides get',
  details: `Reads JSON: request (hex or base64), appKey, joinNonce, netId and devAddr (hex), and if
wanted rxDelay, rx1DrOffset, rx2DataRate, cfList (frequencies in Hz) or channelMasks;
with nwkKey it is a join of 1.1. Prints one line of JSON: whether the request's MIC is
right, the join accept, and the session keys. Works without the service. Exit code 1
when the MIC is wrong.`,
  run: (context) => iotAnswer(async (inspect) => inspect.answerJoin(inspect.Given.of(await readInput(context)))),
}
