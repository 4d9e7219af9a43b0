/**
 * Debian's openNDS in a town of its own, as the peer. It writes to /etc, /tmp and /run and restarts dnsmasq,
 * so it lives in a mount namespace where all that is a copy. Its rules are iptables rules beside nft chains
 * of its own; Debian's iptables-nft refuses such a table, so it gets the legacy one.
 */
import { existsSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { TOWN } from '../support/netns.ts'
import type { GuestHost, Town } from '../support/netns.ts'
import { waitFor } from '../support/town-services.ts'

export const isOpenNdsInstalled = (): boolean => existsSync('/usr/bin/opennds') && existsSync('/usr/sbin/iptables-legacy')

const CONFIGURATION = `GatewayInterface ${TOWN.guestInterface}
GatewayAddress ${TOWN.box4}
MaxClients 250
login_option_enabled 1
use_outdated_mhd 1
PreAuthIdleTimeout 600
AuthIdleTimeout 600
FirewallRuleSet authenticated-users {
FirewallRule allow all
}
FirewallRuleSet preauthenticated-users {
}
FirewallRuleSet users-to-router {
FirewallRule allow all
}
`

/** Then each line on its input is a command in the same place. */
const SCRIPT = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mkdir -p /run/tmpfiles.d /mnt/bin
touch /etc/dnsmasq.conf
ln -s /usr/sbin/iptables-legacy /mnt/bin/iptables
ln -s /usr/sbin/ip6tables-legacy /mnt/bin/ip6tables
printf '#!/bin/sh\\nexit 0\\n' > /mnt/bin/systemctl
chmod 755 /mnt/bin/systemctl
export PATH=/mnt/bin:$PATH
printf '%s' "$OPENNDS_CONFIGURATION" > /mnt/opennds.conf
printf '%s' "$OPENNDS_LEASES" > /tmp/dhcp.leases
opennds -f -d 1 -c /mnt/opennds.conf > /mnt/log 2>&1 &
set +e
while read -r command; do eval "$command"; done
`

export class OpenNds {
  readonly #town: Town
  readonly #shell: ChildProcess
  #heard = ''

  private constructor(town: Town, shell: ChildProcess) {
    this.#town = town
    this.#shell = shell
    const hear = (chunk: Buffer): void => {
      this.#heard = (this.#heard + chunk.toString()).slice(-20_000)
    }
    shell.stdout?.on('data', hear)
    shell.stderr?.on('data', hear)
  }

  /** Resolves when it runs and knows every guest of the town. */
  static async start(town: Town): Promise<OpenNds> {
    await town.box.ip('route', 'add', 'default', 'via', TOWN.internet4) // it waits for a way out
    const leases = town.guests.map((guest) => `0 ${guest.mac} ${guest.ip4} guest${guest.index} *\n`).join('')
    const shell = town.box.spawn('unshare', ['--mount', 'sh', '-c', SCRIPT], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, OPENNDS_CONFIGURATION: CONFIGURATION, OPENNDS_LEASES: leases },
    })
    const peer = new OpenNds(town, shell)
    await peer.#until('openNDS to run', 'ndsctl status', /openNDS Status/, 60_000)
    for (const guest of town.guests)
      await waitFor(`openNDS to know guest ${guest.index}`, async () => {
        await guest.ns.run('curl', ['-s', '-o', '/dev/null', '-m', '3', `http://${TOWN.internet4}/`])
        return (await peer.#ask('ndsctl json')).includes(guest.mac)
      })
    return peer
  }

  version(): Promise<string> {
    return this.#ask('opennds -v')
  }

  /** Says when the command was given, on CLOCK_MONOTONIC; it goes on by itself. */
  authorise(guest: GuestHost): number {
    const at = Number(process.hrtime.bigint()) / 1e6
    this.#shell.stdin?.write(`ndsctl auth ${guest.ip4}\n`)
    return at
  }

  async deauthorise(guest: GuestHost): Promise<void> {
    await this.#ask(`ndsctl deauth ${guest.ip4}`)
    await waitFor('openNDS to close', async () => {
      await guest.ns.run('curl', ['-s', '-o', '/dev/null', '-m', '3', `http://${TOWN.internet4}/`])
      return /Preauthenticated/.test(await this.#ask('ndsctl json'))
    })
  }

  async #ask(command: string): Promise<string> {
    this.#heard = ''
    this.#shell.stdin?.write(`${command} 2>&1; echo "== said"\n`)
    await waitFor(`an answer to ${command}`, () => this.#heard.includes('== said'), 30_000)
    return this.#heard.replace(/== said\s*$/, '').trim()
  }

  async #until(what: string, command: string, sign: RegExp, timeoutMs: number): Promise<void> {
    await waitFor(what, async () => {
      if (this.#shell.exitCode !== null) throw new Error(`openNDS in ${this.#town.prefix} ended: ${this.#heard}`)
      if (sign.test(await this.#ask(command))) return true
      await new Promise((resolve) => setTimeout(resolve, 300))
      return false
    }, timeoutMs)
  }
}
