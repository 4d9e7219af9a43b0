/**
 * Bytes ↔ values: Cayenne LPP here, the owner's JavaScript in its own process. Signatures are those of ChirpStack v4 and The Things
 * Stack: decodeUplink({bytes, fPort, recvTime}) → {data, warnings, errors}, encodeDownlink({data}) → {bytes, fPort, warnings, errors}.
 */
import { MeshBoxError, asError, inputError } from '../../base/index.ts'
import type { Store } from '../../store/index.ts'
import type { CodecDesk, Codecs, Value } from '../ports.ts'
import { decodeLpp, encodeLpp } from './cayenne-lpp.ts'
import type { JavaScript } from './io/codec-process.ts'
import { codecTables } from './io/tables.ts'
import { checkName, checkSource } from './sandbox.ts'
import { valuesOf } from './values.ts'

/** Built in; no codec of the owner's may be called so. */
export const CAYENNE_LPP = 'cayenne-lpp'
const MAX_CODECS = 64
/** Where the data does not say. */
const DEFAULT_PORT = 1
const MAX_PAYLOAD = 242

export class BoxCodecs implements Codecs, CodecDesk {
  readonly #store: Store
  readonly #javaScript: JavaScript

  constructor(store: Store, javaScript: JavaScript) {
    this.#store = store
    this.#javaScript = javaScript
  }

  names(): readonly string[] {
    return [CAYENNE_LPP, ...this.#store.read((tx) => codecTables.names(tx))]
  }

  async put(name: string, source: string): Promise<void> {
    if (checkName(name) === CAYENNE_LPP) throw inputError('codec', name, 'another name: this one is built in')
    checkSource(source)
    const { failed } = parsed(await this.#javaScript.run(source, 'check', '{}'))
    if (failed !== null) throw inputError('source', failed, 'JavaScript with decodeUplink or encodeDownlink')
    await this.#store.turn((tx) => {
      const names = codecTables.names(tx)
      if (names.length >= MAX_CODECS && !names.includes(name)) throw new MeshBoxError('limit', `a box keeps at most ${MAX_CODECS} codecs`, { code: 'codecs-full' })
      codecTables.put(tx, name, source)
    })
  }

  remove(name: string): Promise<boolean> {
    return this.#store.turn((tx) => codecTables.remove(tx, name))
  }

  async decode(codec: string, input: { readonly bytes: Uint8Array; readonly fPort: number; readonly wallMs: number }): Promise<{ readonly values: readonly Value[] | null; readonly problem: string | null }> {
    try {
      if (codec === CAYENNE_LPP) return { values: decodeLpp(input.bytes), problem: null }
      const { made, failed } = parsed(await this.#javaScript.run(this.#sourceOf(codec), 'decodeUplink', JSON.stringify({ bytes: [...input.bytes], fPort: input.fPort, recvTime: input.wallMs, variables: {} })))
      const problem = failed ?? errorsOf(made)
      if (problem !== null) return { values: null, problem }
      const data = memberOf(made, 'data')
      if (typeof data !== 'object' || data === null) return { values: null, problem: 'the codec returned no data' }
      return { values: valuesOf(data), problem: null }
    } catch (thrown) {
      return { values: null, problem: asError(thrown).message.slice(0, 200) }
    }
  }

  async encode(codec: string, data: unknown): Promise<{ readonly bytes: Uint8Array; readonly fPort: number }> {
    if (codec === CAYENNE_LPP) return { bytes: encodeLpp(data), fPort: DEFAULT_PORT }
    const input = JSON.stringify({ data, variables: {} })
    if (input.length > MAX_INPUT) throw inputError('data', `${input.length} characters`, `at most ${MAX_INPUT} characters of JSON`)
    const { made, failed } = parsed(await this.#javaScript.run(this.#sourceOf(codec), 'encodeDownlink', input))
    const problem = failed ?? errorsOf(made)
    if (problem !== null) throw inputError('data', problem, 'what the codec takes')
    const bytes = memberOf(made, 'bytes')
    if (!Array.isArray(bytes) || bytes.length > MAX_PAYLOAD || !bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255))
      throw inputError('bytes', bytes ?? null, `from the codec, at most ${MAX_PAYLOAD} numbers from 0 to 255`)
    const fPort = memberOf(made, 'fPort') ?? DEFAULT_PORT
    if (typeof fPort !== 'number' || !Number.isInteger(fPort) || fPort < 1 || fPort > 223) throw inputError('fPort', fPort, 'from the codec, a number from 1 to 223')
    return { bytes: Uint8Array.from(bytes as readonly number[]), fPort }
  }

  close(): Promise<void> {
    return this.#javaScript.close()
  }

  #sourceOf(name: string): string {
    const source = this.#store.read((tx) => codecTables.source(tx, name))
    if (source === null) throw inputError('codec', name, this.names().join(', '))
    return source
  }
}

const MAX_INPUT = 8 * 1024

/** What came back of the codec's process. Its text is not trusted more than the codec. */
function parsed(text: string): { readonly made: unknown; readonly failed: string | null } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return { made: null, failed: 'the codec returned what is not JSON' }
    throw thrown
  }
  const failed = memberOf(value, 'failed')
  return { made: memberOf(value, 'made'), failed: typeof failed === 'string' ? failed.slice(0, 200) : null }
}

/** `errors` of what a codec returned: not empty means that there are no values. */
function errorsOf(made: unknown): string | null {
  const errors = memberOf(made, 'errors')
  return Array.isArray(errors) && errors.length > 0 ? errors.slice(0, 4).map((one: unknown) => (typeof one === 'string' ? one : 'an error that is no text')).join('; ').slice(0, 200) : null
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
