/** What the tools for LoRa have in common: JSON or bytes from standard input, options that add to it, and their answer, one line of JSON whatever happens. */
import { MeshBoxError } from '../../base/index.ts'
import { numberOption, textOption } from '../command.ts'
import type { Context, OptionSpec, Result } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { readInput } from './tool-answer.ts'
import { isJson } from './tool-photon-answer.ts'

/** Loaded only by a tool that runs. */
export type Inspect = typeof import('../../iot/inspect/index.ts')
type Answer = object & { readonly ok: boolean }

/** Option, and the field of the JSON it stands for. */
const FIELDS: readonly (OptionSpec & { readonly field: string })[] = [
  { name: 'nwkskey', field: 'nwkSKey', value: 'HEX', help: 'network session key, for MIC and MAC commands' },
  { name: 'appskey', field: 'appSKey', value: 'HEX', help: 'application session key, for the payload' },
  { name: 'appkey', field: 'appKey', value: 'HEX', help: 'root key, for joins' },
  { name: 'datr', field: 'datr', value: 'RATE', help: 'e.g. SF9BW125, for the time on air (default: six of them)' },
]

export const FRAME_OPTIONS: readonly OptionSpec[] = [
  ...FIELDS.map(({ name, value, help }): OptionSpec => ({ name, ...(value === undefined ? {} : { value }), help })),
  { name: 'fcnt', value: 'NUMBER', help: 'whole 32-bit counter (default: the lowest that fits)' },
]

export async function iotAnswer(work: (inspect: Inspect) => Promise<Answer> | Answer): Promise<Result> {
  const { iot: inspect } = await import('./tool-room.ts')
  try {
    return shown(await work(inspect))
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError) || thrown.code === 'usage' || thrown.kind === 'internal') throw thrown
    const refusal = { ok: false, error: thrown.code, ...(thrown.field === undefined ? {} : { field: thrown.field }), reason: thrown.message }
    return shown(refusal)
  }
}

function shown(answer: Answer): Result {
  return { json: answer, text: JSON.stringify(answer), exitCode: answer.ok ? EXIT_OK : EXIT_FAILED }
}

/** JSON from standard input as it is; a bare frame as the field `phy`; options beside both. */
export async function givenFrame(context: Context, inspect: Inspect): Promise<InstanceType<Inspect['Given']>> {
  const text = await readInput(context)
  const fields = isJson(text) ? inspect.Given.parse(text) : { phy: text.trim() }
  const fCnt = numberOption(context, 'fcnt', 0, 0xffff_ffff)
  const options = FIELDS.flatMap(({ name, field }) => {
    const value = textOption(context, name)
    return value === undefined ? [] : [[field, value] as const]
  })
  return new inspect.Given({ ...fields, ...Object.fromEntries(options), ...(fCnt === undefined ? {} : { fCnt }) })
}
