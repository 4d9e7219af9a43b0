/** The emulated router among people: an Internet, an owner's laptop and guests, as namespaces inside the guest. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyOverlay, prepared, Router, type Prepared } from '../../qemu/router.ts'
import { makeOverlay } from '../../qemu/runner/disk.ts'
import { guestHost } from './guest-namespace.ts'
import { putProgram } from './program.ts'
import { Phone } from '../support/phone.ts'

/** Of the range for test networks (RFC 2544): OpenWrt's dnsmasq takes answers out of the documentation ranges for an attack. */
export const INTERNET = '198.18.0.10'
const ROUTER_WAN = '198.18.0.1'

export interface Town {
  readonly router: Router
  readonly made: Prepared
  readonly folder: string
  readonly overlay: string
  /** Switches the same disk on again. */
  again(): Promise<Router>
  destroy(): Promise<void>
}

/**
 * A router switched on: with the package and an owner, or as it comes (`bare`). `network`: the emulator's cards for its ports. Unless it shall
 * have ours it has its own time: beside other tests the clock's interrupts of a machine in ours take as much of the processor as its work.
 */
export async function makeTown(kind: 'prepared' | 'bare' = 'prepared', network: readonly string[] = [], hasOwnTime = true): Promise<Town> {
  const made = await prepared()
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-qemu-'))
  const overlay = join(folder, 'overlay.img')
  if (kind === 'bare') await makeOverlay(overlay)
  else await copyOverlay(made.overlay, overlay)
  const options = { image: made.image, folder, overlay, network, processors: 1, hasOwnTime }
  let router = await Router.boot(options)
  const town = {
    made,
    folder,
    overlay,
    get router() {
      return router
    },
    async again() {
      router = await Router.boot(options)
      return router
    },
    async destroy() {
      await router.machine.cut()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return town
}

/** Web, echo and DNS servers behind the router's wan port. Every name leads there. */
export async function plugInternet(router: Router): Promise<void> {
  await router.town(`plug internet eth1 ${INTERNET}/24 ${ROUTER_WAN}`)
  const program = await putProgram(router.machine, 'test/support/internet-server.ts')
  router.machine.start(`exec ip netns exec internet node ${program} > /tmp/internet.log`, 3000)
  const dns = `dnsmasq --keep-in-foreground --no-hosts --no-resolv --conf-file=/dev/null --pid-file= --user=root --address=/#/${INTERNET}`
  const dhcp = `--dhcp-range=${ROUTER_WAN},${ROUTER_WAN},255.255.255.0,1h --dhcp-option=option:router,${INTERNET} --dhcp-option=option:dns-server,${INTERNET} --dhcp-leasefile=/tmp/internet.leases --no-ping`
  router.machine.start(`exec ip netns exec internet ${dns} ${dhcp}`, 3000)
  // Its DHCP client asks at times of its own; what hears of the new wan (firewall, DNS) is told before guests come.
  await router.machine.sh(`until grep -q ready /tmp/internet.log && ip route | grep -q '^default .*eth1'; do usleep 200000; done`, 600)
}

const DHCP_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "\${router%% *}" dev "$interface"
echo "nameserver \${dns%% *}" > "/etc/netns/$(ip netns identify)/resolv.conf"
env | sort > "/tmp/dhcp.$(ip netns identify)"
`

/** A guest's phone that asks for an address by DHCP; gives what it was told. */
export async function plugGuest(router: Router, name: string, index: number): Promise<{ phone: Phone; lease: string }> {
  const { name: bridge } = await router.guestBridge()
  await router.town(`guest ${name} ${bridge}`)
  const script = `cat > /tmp/udhcpc.sh <<'END'\n${DHCP_SCRIPT}END\nchmod 755 /tmp/udhcpc.sh`
  await router.machine.sh(`${script}\n: > /etc/netns/${name}/resolv.conf\nip netns exec ${name} udhcpc -i eth0 -s /tmp/udhcpc.sh -n -q -f -t 15 -T 2 -O 114 -x hostname:${name} 2>&1`)
  return { phone: new Phone(await guestHost(router.machine, name, index)), lease: await router.machine.sh(`cat /tmp/dhcp.${name}`) }
}
