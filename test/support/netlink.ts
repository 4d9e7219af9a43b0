/** The netlink addon that `make native` built, opened as main.ts opens it. */
import { addonPath } from '../../scripts/native.ts'
import type { Netlink } from '../../src/hotspot/gate/index.ts'
import { loadNfnetlink } from '../../src/native/index.ts'

/** `namespace`: name of a network namespace; null: this process's own. Throws where the addon is missing. */
export function openNetlink(namespace: string | null): Netlink {
  const door = loadNfnetlink(addonPath('host', 'nfnetlink'))
  if (door === null) throw new Error('no nfnetlink addon')
  return door.open({ namespacePath: namespace === null ? null : `/run/netns/${namespace}` })
}
