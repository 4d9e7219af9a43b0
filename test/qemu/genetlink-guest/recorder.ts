/** A Genetlink that keeps the kernel's last answer to each command, under the name of the scene it was asked in. */
import { toHex } from '../../../src/base/index.ts'
import type { Genetlink, GenetlinkFamily, GenetlinkMessage } from '../../../src/native/index.ts'

export interface CapturedMessage {
  readonly command: number
  readonly version: number
  /** Hexadecimal. */
  readonly attributes: string
}

export class Recorder {
  /** `<scene> <family> <asked command or 'event'>` → messages. */
  readonly captured: Record<string, CapturedMessage[]> = {}

  over(netlink: Genetlink, scene: string): Genetlink {
    const keep = (family: GenetlinkFamily, what: string, messages: readonly GenetlinkMessage[]): void => {
      if (messages.length > 0) this.captured[`${scene} ${family.name} ${what}`] = messages.map(({ command, version, attributes }) => ({ command, version, attributes: toHex(attributes) }))
    }
    return {
      families: (call) => netlink.families(call),
      family: (name, call) => netlink.family(name, call),
      interfaceIndex: (name, call) => netlink.interfaceIndex(name, call),
      close: () => netlink.close(),
      async request(family, command, attributes, call) {
        const messages = await netlink.request(family, command, attributes, call)
        keep(family, String(command), messages)
        return messages
      },
      async dump(family, command, attributes, call) {
        const messages = await netlink.dump(family, command, attributes, call)
        keep(family, String(command), messages)
        return messages
      },
      watch(family, group, watcher) {
        const heard: GenetlinkMessage[] = []
        return netlink.watch(family, group, {
          onMessage(message) {
            heard.push(message)
            keep(family, `event ${group}`, heard)
            watcher.onMessage(message)
          },
          onLost: () => watcher.onLost(),
        })
      },
    }
  }
}
