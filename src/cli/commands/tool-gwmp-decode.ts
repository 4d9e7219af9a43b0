/** `meshbox tool gwmp decode`: needs no service. */
import type { CommandSpec } from '../command.ts'
import { readInput } from './tool-answer.ts'
import { iotAnswer } from './tool-iot-answer.ts'

export const toolGwmpDecode: CommandSpec = {
  words: ['tool', 'gwmp', 'decode'],
  summary: 'a datagram of a LoRa packet forwarder, taken apart, as JSON',
  details: `Reads a UDP datagram of Semtech's protocol in hex, of either direction. Prints one
line of JSON: version, kind, token, gateway, the acknowledgement it gets, packets with
frequency, modulation, strength and what is readable of their frames, packets that
could not be read with the reason, and the gateway's statistics. Works without the
service. Exit code 1 when it is no datagram or a packet in it cannot be read.`,
  run: (context) => iotAnswer(async (inspect) => inspect.inspectDatagram(await readInput(context))),
}
