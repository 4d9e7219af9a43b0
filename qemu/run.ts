/**
 * `make qemu`: the emulated router with the package installed, for a person. Its disk is kept until the package
 * changes, so that it can be switched off hard (Ctrl-C) and on again. `--fresh` starts with a new disk.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { BuildError } from '../scripts/native/run.ts'
import { QEMU_BUILD, say } from './image/places.ts'
import { copyOverlay, DASHBOARD_PORT, LAN_ADDRESS, LAN_CARD, OWNER_PASSWORD, PORTAL_HOST, PORTAL_PORT, prepared, Router, visitorNetwork, WAN_NETWORK } from './router.ts'
import { freePort } from './runner/free-port.ts'
import { GuestError } from './runner/machine.ts'
import { RUN_FOLDER } from './runner/places.ts'

/** SOCKS5 of the guest whom a browser can be. */
const VISITOR_PORT = 2081

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((word) => word !== '--fresh')
  if (unknown !== undefined) throw new BuildError(`unknown argument '${unknown}'; allowed: --fresh (a new disk)`)
  const { image, overlay } = await prepared()
  const disk = join(QEMU_BUILD, `run-${basename(overlay)}`)
  for (const old of readdirSync(QEMU_BUILD)) if (old.startsWith('run-') && (old !== basename(disk) || args.includes('--fresh'))) rmSync(join(QEMU_BUILD, old), { force: true })
  const isNew = !existsSync(disk)
  if (isNew) await copyOverlay(overlay, disk)
  const dashboard = await freePort(DASHBOARD_PORT)
  const visitor = await freePort(VISITOR_PORT)
  const network = [
    ...['-netdev', `user,id=lan,net=192.168.1.0/24,host=192.168.1.2,restrict=on,hostfwd=tcp:127.0.0.1:${dashboard}-${LAN_ADDRESS}:${DASHBOARD_PORT}`],
    ...['-device', `virtio-net-device,netdev=lan,mac=${LAN_CARD}`, ...WAN_NETWORK, ...visitorNetwork(visitor)],
  ]
  mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o700 })
  say(`booting, with ${isNew ? 'a new disk' : 'the disk as it was when the power went (make qemu ARGS=--fresh for a new one)'}`)
  const router = await Router.boot({ image, folder: RUN_FOLDER, overlay: disk, network })
  let isPulled = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      isPulled = true
      void router.machine.cut()
    })
  try {
    say(`booted ${router.machine.readySeconds.toFixed(1)} s after its kernel started; the service is starting`)
    const readySeconds = await router.ready()
    const address = await router.plugVisitor()
    console.log(`
  The router is up (${readySeconds.toFixed(1)} s after its kernel started).

  dashboard   http://127.0.0.1:${dashboard}/    password: ${OWNER_PASSWORD}
  a guest     chromium --user-data-dir=$(mktemp -d) --proxy-server=socks5://127.0.0.1:${visitor} http://${PORTAL_HOST}:${PORTAL_PORT}/
              that browser is in the guests' network (${address}, by the router's DHCP): any http:// page leads to yours
              until it has paid; the Internet is this machine's. Any program with SOCKS5 can be that guest.
  a voucher   dashboard → Vouchers, or: meshbox voucher create half_hour 1 --codes      in the shell
  a shell     make qemu-shell          in another terminal
  power cut   Ctrl-C here; then make qemu again: it comes back with its disk as it was
`)
  } catch (error) {
    if (!isPulled) throw error
  }
  await router.machine.ended()
  rmSync(RUN_FOLDER, { recursive: true, force: true })
  say(isPulled ? 'the power is cut' : 'the router has switched itself off')
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BuildError || error instanceof GuestError)) throw error
  console.error(`[qemu] ${error.message}`)
  process.exitCode = 1
}
