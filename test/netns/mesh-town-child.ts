/**
 * One box of mesh-town.test.ts in its own namespace: mesh-town-child.ts JSON (test/support/town-box.ts). batman-adv is
 * mesh-programs/batman.py; what its kernel would tell stands in the plan.
 */
import { addonPath } from '../../scripts/native.ts'
import type { HardInterface } from '../../src/main/mesh-relay.ts'
import type { MeshState } from '../../src/mesh/index.ts'
import { runTownBox } from '../support/town-box.ts'
import type { BoxPlan } from '../support/town-box.ts'

export interface TownPlan extends BoxPlan {
  readonly hardInterfaces: readonly HardInterface[]
  readonly view: Pick<MeshState, 'self' | 'nodes' | 'clients'>
}

const plan = JSON.parse(process.argv[2] ?? '{}') as TownPlan
const view: MeshState = { ...plan.view, condition: { kind: 'up' }, sinceMs: 0, algorithm: 'BATMAN_IV' }
await runTownBox(plan, {
  view: { state: () => view, on: () => () => undefined },
  hardInterfaces: () => Promise.resolve(plan.hardInterfaces),
  addons: { secp256k1: addonPath('host', 'secp256k1'), nfnetlink: addonPath('host', 'nfnetlink') },
})
