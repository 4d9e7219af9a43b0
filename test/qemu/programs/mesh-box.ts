/** One box of mesh-guest/pay.ts in its own namespace, on the batman-adv that is there: `node mesh-box.cjs PLAN FOLDER-OF-ADDONS` (test/support/town-box.ts). */
import { join } from 'node:path'
import { silentLog } from '../../../src/base/index.ts'
import { SystemClock, systemTimers } from '../../../src/base/io/system.ts'
import { MeshKernel } from '../../../src/main/mesh-kernel.ts'
import { MeshWatch } from '../../../src/mesh/view/index.ts'
import { runTownBox } from '../../support/town-box.ts'
import type { BoxPlan } from '../../support/town-box.ts'

async function main([plan = '{}', folder = '']: readonly string[]): Promise<void> {
  const addon = (name: string): string => join(folder, `${name}.node`)
  const kernel = new MeshKernel(addon('genetlink'), 'bat0')
  const view = new MeshWatch({ reader: kernel.reader, clock: new SystemClock('always'), timers: systemTimers, log: silentLog })
  await view.start()
  await runTownBox(JSON.parse(plan) as BoxPlan, {
    view,
    hardInterfaces: () => kernel.hardInterfaces(),
    leaving: { openRoute: () => kernel.openRoute(), tc: ['tc'] },
    addons: { secp256k1: addon('secp256k1'), nfnetlink: addon('nfnetlink'), sqlite: addon('better_sqlite3') },
  })
  view.stop()
  await kernel.close()
}

void main(process.argv.slice(2))
