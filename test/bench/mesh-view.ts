/**
 * What batman-adv tells of two hundred boxes, as the view asks for it: from the kernel's messages to the list. The messages are those that
 * a kernel sent (test/vectors), with other addresses. This machine has no batman-adv: the kernel's own part, and `batctl o` in the
 * same machine, are measured by `make qemu-bench`, whose processor is an emulated one.
 */
import { createBatadv } from '../../src/native/index.ts'
import type { Genetlink, GenetlinkMessage } from '../../src/native/index.ts'
import { captured } from '../unit/native/genetlink-vectors.ts'
import type { Bench, BenchRow } from './measure.ts'
import { costOf, summary } from './measure.ts'

export const meshView: Bench = { name: 'mesh-view', run }

const ORIGINATORS = 200
const AIM_MS = 2
const WARM = 20
const TIMES = 100
/** Where an originator's address stands in the attributes of the vector: behind the head of the first. */
const ORIGINATOR_AT = 4
const FAMILY = { id: 30, name: 'batadv', version: 1, headerBytes: 0, maxAttribute: 100, groups: new Map<string, number>() }

async function run(): Promise<BenchRow[]> {
  const [vector] = captured('BATMAN_IV a batadv 8')
  if (vector === undefined) throw new Error('the vector is empty')
  const messages = Array.from({ length: ORIGINATORS }, (_, number) => addressed(vector, number))
  const batadv = createBatadv(kernelThatSays(messages))
  const values: number[] = []
  for (let time = 0; time < WARM + TIMES; time++) {
    const { wallMs } = await costOf(async () => {
      const list = await batadv.originators('bat0')
      if (new Set(list.map(({ originator }) => originator)).size !== ORIGINATORS) throw new Error(`${list.length} originators were listed`)
    })
    if (time >= WARM) values.push(wallMs)
  }
  const ours = summary(values)
  return [{ name: `mesh view: ${ORIGINATORS} originators from the kernel's messages`, unit: 'ms', ours, aim: { text: `p50 ≤ ${AIM_MS} ms`, met: ours.p50 <= AIM_MS }, note: "without the kernel's part; that, and `batctl o` in the same machine: make qemu-bench" }]
}

function addressed(vector: GenetlinkMessage, number: number): GenetlinkMessage {
  const attributes = Uint8Array.from(vector.attributes)
  new DataView(attributes.buffer).setUint16(ORIGINATOR_AT + 4, number)
  return { ...vector, attributes }
}

function kernelThatSays(messages: readonly GenetlinkMessage[]): Genetlink {
  return {
    families: () => Promise.resolve([FAMILY]),
    family: () => Promise.resolve(FAMILY),
    interfaceIndex: () => Promise.resolve(7),
    request: () => Promise.resolve([]),
    dump: () => Promise.resolve([...messages]),
    watch: () => Promise.resolve(() => undefined),
    close: () => undefined,
  } as Genetlink
}
