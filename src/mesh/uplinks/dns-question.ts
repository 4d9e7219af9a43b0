/**
 * The DNS exchange that shows that a way out works: who is in charge of the root zone. Every resolver has the answer at hand, it
 * is the same everywhere and says nothing of anybody. Layout: RFC 1035, 4.1. 17 bytes to there, about 100 back.
 */
const HEADER_BYTES = 12
const TYPE_SOA = 6
const CLASS_INTERNET = 1
const RESPONSE = 0x8000
const RECURSION_DESIRED = 0x0100
const CODE_MASK = 0x000f
const QUESTION_BYTES = 5

/** `id`: 0–65535, not to be guessed: an answer without it is nobody's. */
export function rootQuestion(id: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + QUESTION_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, id)
  view.setUint16(2, RECURSION_DESIRED)
  view.setUint16(4, 1)
  view.setUint16(HEADER_BYTES + 1, TYPE_SOA) // after the root's name, which is one zero byte
  view.setUint16(HEADER_BYTES + 3, CLASS_INTERNET)
  return bytes
}

/** Null: it answers that question. Else what is wrong with it, for people. Any bytes may come. */
export function wrongWithAnswer(bytes: Uint8Array, id: number): string | null {
  if (bytes.length < HEADER_BYTES + QUESTION_BYTES) return 'an answer that is too short'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const flags = view.getUint16(2)
  if (view.getUint16(0) !== id || (flags & RESPONSE) === 0) return 'an answer to another question'
  if ((flags & CODE_MASK) !== 0) return `DNS error ${flags & CODE_MASK}`
  const asked = rootQuestion(id)
  for (let at = HEADER_BYTES; at < asked.length; at++) if (bytes[at] !== asked[at]) return 'an answer to another question'
  return view.getUint16(6) === 0 ? 'an answer with nothing in it' : null
}
