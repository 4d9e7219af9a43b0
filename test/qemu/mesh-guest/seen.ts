/** One box's picture of the mesh, as the service keeps it, with what was told of it. */
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import type { MeshChange } from '../../../src/mesh/ports.ts'
import { MeshWatch, createKernelReader } from '../../../src/mesh/view/index.ts'
import { createBatadv } from '../../../src/native/index.ts'
import type { GenetlinkDoor } from '../../../src/native/index.ts'

export interface Told {
  readonly atMs: number
  readonly change: MeshChange
}

export interface Seen {
  readonly view: MeshWatch
  readonly told: Told[]
  stop(): void
}

export async function lookAt(door: GenetlinkDoor, namespacePath: string): Promise<Seen> {
  const netlink = await door.open({ namespacePath })
  const view = new MeshWatch({ reader: createKernelReader(createBatadv(netlink), 'bat0'), clock: new SystemClock('always'), timers: systemTimers, log: silentLog })
  const told: Told[] = []
  view.on((change) => told.push({ atMs: performance.now(), change }))
  await view.start()
  view.hurry()
  return {
    view,
    told,
    stop() {
      view.stop()
      netlink.close()
    },
  }
}
