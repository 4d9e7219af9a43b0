/** What `meshbox tool lora` and `meshbox tool gwmp` do: frames and datagrams by hand, without a service. */
export { Given } from './given.ts'
export { inspectDatagram } from './gwmp-decode.ts'
export { inspectFrame } from './lora-decode.ts'
export type { LoraAnswer } from './lora-decode.ts'
export { answerJoin, makeFrame } from './lora-encode.ts'
