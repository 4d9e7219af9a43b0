/** One box: every room made, handed what it needs, started in order and stopped in reverse. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MeshBoxError, asError, createLog, type Log, type LogOptions } from '../base/index.ts'
import { SystemClock, systemRandomness, systemTimers } from '../base/io/system.ts'
import { ConfigError, problemLine, type Config } from '../config/index.ts'
import { IDENTITY_FILE, RESTORED_MARK, openIdentity, openOwnerPassword, openVoucherKeys } from '../identity/index.ts'
import { createLedger } from '../ledger/index.ts'
import { ControlServer, LogRing, Owner, OwnerServer, SystemFactsReader, openMetricsToken, photonOutOfOrder, type ChainDesk, type IotPort, type MeshPort, type PayoutPort, type PhotonPort, type PhotonRestDoor } from '../owner/index.ts'
import { noteIotOldCopy } from '../iot/tables/index.ts'
import type { LanSide, Photon, ProgramDesk } from '../photon/index.ts'
import { noteBirth, noteOldCopy } from '../photon/tables/index.ts'
import type { Spectrum } from '../spectrum/index.ts'
import { forgetBackupMark, markIfBackup, openStore } from '../store/index.ts'
import { ConfigInForce, loadAtStart } from './config-door.ts'
import { PatientDashboard } from './patient-dashboard.ts'
import { startHotspot, type RunningHotspot } from './hotspot.ts'
import type { RunningMesh } from './mesh.ts'
import type { GuestBoxes } from './guest-boxes.ts'
import { joinDesk } from './mesh-join.ts'
import { openCurve } from './native-parts.ts'
import { checkSameBox } from './same-box.ts'
import { TABLES } from './tables.ts'
import { bundleFolder, readDashboard } from './web-files.ts'

export const DEFAULT_CONFIG_PATH = '/etc/config/meshbox'

export interface BoxOptions {
  readonly configPath: string
  readonly version: string
  /** Receives finished log lines. */
  readonly write: (line: string) => void
}

export interface RunningBox {
  reload(): void
  stop(why: string): Promise<void>
}

/** Undone in reverse when a later room cannot start, or at the end. */
class Started {
  readonly #undo: { readonly what: string; readonly stop: () => Promise<void> | void }[] = []

  add(what: string, stop: () => Promise<void> | void): void {
    this.#undo.push({ what, stop })
  }

  /** All are stopped, also when one fails; the first failure is thrown in the end. */
  async stopAll(log: Log): Promise<void> {
    let failure: unknown
    for (const { what, stop } of this.#undo.splice(0).reverse()) {
      try {
        await stop()
      } catch (error) {
        failure ??= error
        log.error(`${what} did not stop`, { error: asError(error) })
      }
    }
    if (failure !== undefined) throw failure
  }
}

export async function startBox(options: BoxOptions): Promise<RunningBox> {
  const config = loadAtStart(options.configPath)
  const clock = new SystemClock(config.main.clockTrust)
  const ring = new LogRing()
  const logOptions: LogOptions = {
    level: config.main.logLevel,
    style: config.main.logStyle,
    now: () => clock.wallMs(),
    write: (line) => {
      ring.push(line, clock.wallMs())
      options.write(line)
    },
  }
  const log = createLog(logOptions)
  log.info('starting', { version: options.version, config: options.configPath, roles: config.main.roles.join(',') || 'none' })
  const started = new Started()
  try {
    return await startRooms(options, { config, clock, ring, log, logOptions, started })
  } catch (error) {
    // What failed first is what counts; how the undoing went is in the log.
    await started.stopAll(log).catch(() => undefined)
    throw error
  }
}

interface Ground {
  readonly config: Config
  readonly clock: SystemClock
  readonly ring: LogRing
  readonly log: Log
  readonly logOptions: LogOptions
  readonly started: Started
}

async function startRooms(options: BoxOptions, ground: Ground): Promise<RunningBox> {
  const { config, clock, ring, log, logOptions, started } = ground
  const { dataDir } = config.main
  const folder = bundleFolder()
  // The store first: its lock keeps a second service away before a key could be made twice.
  const book = join(dataDir, 'meshbox.sqlite')
  const isBackup = markIfBackup(book)
  const store = openStore({
    path: book,
    migrations: TABLES,
    log: log.room('store'),
    nativeBinding: join(folder, 'native/better_sqlite3.node'),
  })
  started.add('the store', () => store.close())
  if (isBackup) {
    await store.turn((tx) => {
      noteOldCopy(tx)
      noteIotOldCopy(tx)
    })
    forgetBackupMark(book)
    log.warn('the book is a backup that was put in place; what happened since it was made is not in it')
  }
  const opened = openCurve(join(folder, 'native/secp256k1.node'), log.room('native'))
  const { signer } = opened
  const keys = { dataDir, randomness: systemRandomness }
  const hadKey = existsSync(join(dataDir, IDENTITY_FILE))
  const isRestored = existsSync(join(dataDir, RESTORED_MARK))
  await store.turn((tx) => noteBirth(tx, { hadKey, isRestored }))
  const identity = await openIdentity({ ...keys, signer, log: log.room('identity') })
  await checkSameBox(store, identity.address)
  const voucherKeys = await openVoucherKeys({ ...keys, log: log.room('identity') })
  const password = await openOwnerPassword({ ...keys, log: log.room('identity') })

  let hotspot: RunningHotspot | null = null
  let guestRpc: Spectrum['guestRpc'] = null
  let channels: Photon | null = null
  let meshed: RunningMesh | null = null
  const inForce = new ConfigInForce(options.configPath, config, log.room('config'), (next) => {
    logOptions.level = next.main.logLevel
    return hotspot?.configChanged()
  })
  const ledger = createLedger({ shares: () => inForce.current().shares })
  if (config.main.roles.includes('hotspot')) {
    const running = await startHotspot({ config: () => inForce.current(), store, ledger, voucherKeys, identity, signer, clock, log, folder, guestRpc: () => guestRpc, channels: () => channels, wayOut: () => meshed?.wayOut() ?? 'internet' })
    hotspot = running
    started.add('the hotspot', () => running.stop())
  } else log.warn("this box has no role 'hotspot': no guest is served; set it in section meshbox 'main', list roles")

  const { roles } = config.main
  let chain: ChainDesk | null = null
  let spectrum: Spectrum | null = null
  let chainFault = 'the chain could not be started'
  if (roles.includes('light') || roles.includes('sealer')) {
    // Loaded only by boxes with a chain: it is half of the service's code.
    const [{ startChain }, { chainDesk, chainOutOfOrder }] = await Promise.all([import('./chain.ts'), import('./chain-desk.ts')])
    try {
      const running = await startChain({ config, store, ledger, identity, curve: opened.curve(), clock, log, version: options.version, folder, secp256k1Path: opened.path })
      started.add('the chain', () => running.stop())
      guestRpc = running.guestRpc
      spectrum = running
      chain = chainDesk({ chain: running, ledger, store, clock })
    } catch (error) {
      // Guests have paid for minutes, not for blocks.
      log.error('the chain could not be started; everything else goes on', { error: asError(error) })
      chainFault = `the chain could not be started: ${describe(error)}`
      chain = chainOutOfOrder(describe(error))
    }
  }

  let guests: readonly GuestBoxes[] = []
  if (roles.includes('photon') && spectrum !== null) {
    const { guestBoxesOf } = await import('./photon.ts')
    try {
      guests = guestBoxesOf({ config, identity, curve: opened.curve(), spectrum, clock, timers: systemTimers, randomness: systemRandomness, log, folder })
      // Also where it is never started: it has timers from the beginning.
      for (const boxes of guests) started.add('boxes among the guests', () => boxes.stop())
    } catch (error) {
      log.error('boxes among the guests could not be made ready; everything else goes on', { error: asError(error) })
    }
  }

  let mesh: MeshPort | null = null
  if (roles.includes('relay')) {
    // libp2p and batman-adv are for boxes among boxes.
    const { startMesh } = await import('./mesh.ts')
    try {
      const running = await startMesh({ config, inForce: () => inForce.current(), store, ledger, identity, curve: opened.curve(), clock, log, folder, wirelessFile: '/etc/config/wireless', spectrum, walking: hotspot?.walking ?? null, meetHotspot: (host, port) => guests.forEach((boxes) => boxes.meet(host, port)) })
      started.add('the mesh', () => running.stop())
      meshed = running
      mesh = { desk: running.desk, token: () => meshToken(config), tokenAt: (address) => tokenAt(config, address) }
    } catch (error) {
      log.error('the mesh could not be started; everything else goes on', { error: asError(error) })
      mesh = { desk: null, fault: describe(error), token: () => null, tokenAt: () => null }
    }
  }

  let photon: PhotonPort | null = null
  let lan: LanSide | null = null
  let programs: ProgramDesk | null = null
  if (roles.includes('photon')) {
    const { photonTokens, startPhotonRoom } = await import('./photon.ts')
    const tokens: PhotonPort['tokens'] = () => photonTokens(config.photon)
    try {
      if (spectrum === null) throw new MeshBoxError('unavailable', chainFault, { code: 'chain-not-started' })
      const running = await startPhotonRoom({ config, spectrum, store, ledger, identity, curve: opened.curve(), clock, log, folder, mesh: meshed?.photon ?? null, guests })
      started.add('payment channels', () => running.stop())
      for (const boxes of guests) boxes.start()
      channels = running
      meshed?.usePayments(running)
      lan = running.lan
      programs = running.programs
      photon = { desk: running.desk, tokens }
    } catch (error) {
      log.error('payment channels could not be started; everything else goes on', { error: asError(error) })
      photon = { desk: photonOutOfOrder(describe(error)), tokens }
    }
  }

  let iot: IotPort | null = null
  if (roles.includes('iot')) {
    // Concentrators and brokers are for boxes with sensors around.
    const [{ startIotRoom }, { photonTokens }] = await Promise.all([import('./iot.ts'), import('./photon.ts')])
    const tokens: IotPort['tokens'] = () => photonTokens(config.photon)
    try {
      const running = await startIotRoom({ config, store, ledger, identity, curve: opened.curve(), spectrum, channels, tokens, neighbours: meshed?.lora ?? null, clock, log, folder, version: options.version })
      started.add('IoT', () => running.stop())
      iot = { desk: running.desk, tokens }
    } catch (error) {
      log.error('IoT could not be started; everything else goes on', { error: asError(error) })
      iot = { desk: null, fault: describe(error), tokens }
    }
  }

  const { startPayoutRoom } = await import('./payout.ts')
  const paying = startPayoutRoom({ config: () => inForce.current(), store, ledger, identity, channels, clock, log })
  started.add('payouts', () => paying.stop())
  const payouts: PayoutPort = { desk: paying.desk, token: () => inForce.current().token }

  let photonRest: PhotonRestDoor | null = null
  if (photon !== null && config.photon.rest) {
    const { restDoor } = await import('./rest-door.ts')
    photonRest = restDoor({ desk: photon.desk, programs, lan, config: config.photon, dataDir, version: options.version, log: log.room('photon') })
  }

  const facts = new SystemFactsReader({ dataDir, dnsmasqPidFile: () => inForce.current().hotspot.dnsmasqPidFile, timers: systemTimers })
  started.add('the system facts', () => facts.stop())
  const owner = new Owner({
    desk: hotspot?.desk ?? null,
    chain,
    photon,
    mesh,
    iot,
    payouts,
    joining: joinDesk({ configPath: options.configPath, config: inForce, box: identity.address, curve: () => opened.curve(), randomness: systemRandomness }),
    // Loaded when it is asked for: it reads every room's tables.
    audit: async () => {
      const { auditBox, auditChainOf, auditJson } = await import('./audit.ts')
      return auditJson(await auditBox({ store, config: inForce.current(), self: identity.address, curve: opened.curve(), chain: spectrum === null ? null : auditChainOf(spectrum), timers: systemTimers }))
    },
    ledger,
    store,
    identity,
    voucherKeys,
    password,
    config: inForce,
    clock,
    randomness: systemRandomness,
    log: log.room('owner'),
    ring,
    version: options.version,
    facts: () => facts.read(),
    timeSources: () => clock.trust.sources(),
    observeOwnerClock: (wallMs) => clock.trust.observe('owner', wallMs, clock.boottimeMs()),
  })
  const control = new ControlServer({ owner, socketPath: config.main.controlSocket, log: log.room('control') })
  await control.start()
  started.add('the control socket', () => control.stop())
  const files = readDashboard(folder)
  const metricsToken = openMetricsToken(dataDir, systemRandomness)
  const newDashboard = (): OwnerServer =>
    new OwnerServer({
      owner,
      address: config.owner.address,
      port: config.owner.port,
      guestInterface: config.main.roles.includes('hotspot') && config.hotspot.gate === 'nft' ? config.hotspot.guestInterface : null,
      hostNames: [],
      files,
      tls: null,
      dataDir,
      metricsToken,
      photonRest,
      boottimeMs: () => clock.boottimeMs(),
      randomness: systemRandomness,
      log: log.room('owner'),
    })
  const dashboard = new PatientDashboard(newDashboard, systemTimers, log.room('owner'))
  await dashboard.start()
  started.add('the dashboard', () => dashboard.stop())

  log.info('ready', { sinceStartMs: Math.round(performance.now()) })
  return {
    reload() {
      inForce.reload().catch((error: unknown) => {
        const reasons = error instanceof ConfigError ? error.problems.map(problemLine) : [describe(error)]
        for (const reason of reasons) log.error(`configuration: not changed: ${reason}`)
      })
    },
    async stop(why) {
      log.info('stopping', { why })
      await started.stopAll(log)
      log.info('stopped')
    },
  }
}

/** That carrying is paid in: as the channels know it, else in the box's own words. */
function meshToken({ mesh, photon, token }: Config): { readonly symbol: string; readonly decimals: number } | null {
  if (mesh.token === null) return null
  const { symbol, decimals } = photon.tokens.find(({ address }) => address === mesh.token?.toLowerCase()) ?? token
  return { symbol, decimals }
}

/** Null: the box does not know it any more. */
function tokenAt(config: Config, address: string): { readonly symbol: string; readonly decimals: number } | null {
  const known = config.photon.tokens.find((each) => each.address === address)
  if (known !== undefined) return { symbol: known.symbol, decimals: known.decimals }
  return address === config.mesh.token?.toLowerCase() ? meshToken(config) : null
}

function describe(thrown: unknown): string {
  return thrown instanceof MeshBoxError ? thrown.message : asError(thrown).message
}
