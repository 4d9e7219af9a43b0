/**
 * `make qemu`: the emulated router with the package installed, for a person. Its disk is kept until the package
 * changes, so that it can be switched off hard (Ctrl-C) and on again. `--fresh` starts with a new disk.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { BuildError } from '../scripts/native/run.ts'
import { QEMU_BUILD, say } from './image/places.ts'
import { copyOverlay, DASHBOARD_PORT, LAN_ADDRESS, OWNER_PASSWORD, PORTAL_HOST, PORTAL_PORT, prepared, Router } from './router.ts'
import { GuestError } from './runner/machine.ts'
import { RUN_FOLDER } from './runner/places.ts'

/** As guest/root/usr/libexec/guest/boot knows them. */
const LAN_CARD = '52:54:00:6d:62:00'
const WAN_CARD = '52:54:00:6d:62:01'

/** The same port as in the box, or any that is free. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () => (wanted === 0 ? reject(new BuildError('no free port on 127.0.0.1')) : resolve(freePort(0))))
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : wanted))
    })
  })
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.find((word) => word !== '--fresh')
  if (unknown !== undefined) throw new BuildError(`unknown argument '${unknown}'; allowed: --fresh (a new disk)`)
  const { image, overlay } = await prepared()
  const disk = join(QEMU_BUILD, `run-${basename(overlay)}`)
  for (const old of readdirSync(QEMU_BUILD)) if (old.startsWith('run-') && (old !== basename(disk) || args.includes('--fresh'))) rmSync(join(QEMU_BUILD, old), { force: true })
  const isNew = !existsSync(disk)
  if (isNew) await copyOverlay(overlay, disk)
  const [dashboard, portal] = [await freePort(DASHBOARD_PORT), await freePort(PORTAL_PORT)]
  const forwards = [`tcp:127.0.0.1:${dashboard}-${LAN_ADDRESS}:${DASHBOARD_PORT}`, `tcp:127.0.0.1:${portal}-${LAN_ADDRESS}:${PORTAL_PORT}`]
  const network = [
    ...['-netdev', `user,id=lan,net=192.168.1.0/24,host=192.168.1.2,restrict=on,${forwards.map((forward) => `hostfwd=${forward}`).join(',')}`],
    ...['-device', `virtio-net-device,netdev=lan,mac=${LAN_CARD}`, '-netdev', 'user,id=wan', '-device', `virtio-net-device,netdev=wan,mac=${WAN_CARD}`],
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
    console.log(`
  The router is up (${readySeconds.toFixed(1)} s after its kernel started).

  dashboard   http://127.0.0.1:${dashboard}/    password: ${OWNER_PASSWORD}
  guest page  chromium --host-resolver-rules='MAP ${PORTAL_HOST}:${PORTAL_PORT} 127.0.0.1:${portal}' http://${PORTAL_HOST}:${PORTAL_PORT}/
              (reached from the owner's network, so it answers as to a device that is no guest)
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
