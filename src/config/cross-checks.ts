/** What no single option can tell: values that do not fit together. */
import { isSameAddress, isWildcard, parseIp } from './network-address.ts'
import type { ConfigProblem } from './config-error.ts'
import type { ReadConfig } from './load.ts'
import { optionName } from './schema.ts'
import type { SectionRead } from './section-reader.ts'

/** How deep the chain's events are believed (docs/photon.md): whoever closes is that far ahead of who answers. */
const UNSEEN_BLOCKS = 17

const PARTS_OF_ALL = 1_000_000
const MINUTES_OF_DAY = 1440
/** As the package's `setup` has it. */
const LEAST_OPEN_PORT = 49_152

/** Every misfit; options that were refused by themselves are not looked at again. */
export function checkTogether(config: ReadConfig, file: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const report: Report = (section, property, what, allowed, value) => {
    problems.push({
      file,
      line: section.lineOf(property),
      section: section.title,
      option: optionName(property),
      ...(value === undefined ? {} : { value: String(value) }),
      what,
      allowed,
    })
  }
  checkHotspot(config.hotspot, report)
  checkListeners(config.hotspot, config.owner, report)
  checkChain(config, report)
  checkPhoton(config, report)
  checkMesh(config, report)
  checkIot(config, report)
  checkPackages(config.packages, report)
  for (const hour of config.happyHours) checkHappyHour(hour, report)
  checkShares(config.shares, report)
  checkPayees(config.payees, report)
  return problems
}

type Report = <S>(section: SectionRead<S>, property: keyof S & string, what: string, allowed: string, value?: unknown) => void

function checkHotspot(hotspot: ReadConfig['hotspot'], report: Report): void {
  const { tlsCertificateFile, tlsKeyFile, checkpointSeconds, leaseSeconds, guestInterface, uplinkInterfaces } = hotspot.values
  if (hotspot.isSound('tlsCertificateFile', 'tlsKeyFile') && (tlsCertificateFile === null) !== (tlsKeyFile === null)) {
    const missing = tlsKeyFile === null ? 'tlsKeyFile' : 'tlsCertificateFile'
    report(hotspot, missing, 'is missing: a certificate and its key are given together', 'both, or neither')
  }
  if (hotspot.isSound('checkpointSeconds', 'leaseSeconds') && checkpointSeconds >= leaseSeconds)
    report(hotspot, 'checkpointSeconds', `is not shorter than lease_seconds (${leaseSeconds})`, 'fewer seconds than lease_seconds', checkpointSeconds)
  if (hotspot.isSound('guestInterface', 'uplinkInterfaces') && uplinkInterfaces.includes(guestInterface))
    report(hotspot, 'uplinkInterfaces', 'the guest interface cannot lead out', 'interfaces towards the Internet', guestInterface)
}

function checkListeners(hotspot: ReadConfig['hotspot'], owner: ReadConfig['owner'], report: Report): void {
  const { portalAddress, portalPort, tlsPort } = hotspot.values
  if (hotspot.isSound('portalPort', 'tlsPort') && portalPort === tlsPort)
    report(hotspot, 'tlsPort', 'is the same as portal_port', 'a port of its own', tlsPort)
  const { boxesPort } = hotspot.values
  for (const taken of ['portalPort', 'tlsPort'] as const)
    if (hotspot.isSound('boxesPort', taken) && boxesPort === hotspot.values[taken]) report(hotspot, 'boxesPort', `is the same as ${optionName(taken)}`, 'a port of its own, or 0 for none', boxesPort)
  // Guests are let through to it on every address of the box.
  if (hotspot.isSound('boxesPort') && owner.isSound('port') && boxesPort === owner.values.port && !isLoopback(owner.values.address)) report(hotspot, 'boxesPort', "is the dashboard's", 'a port of its own, or 0 for none', boxesPort)
  if (!hotspot.isSound('portalAddress') || !owner.isSound('address', 'port')) return
  const { address, port } = owner.values
  const isShared = isSameAddress(address, portalAddress)
  // A page on a loopback address is not on the guests' side: that is a laptop.
  if (isShared && !isLoopback(address)) {
    report(owner, 'address', "is the guests' side (portal_address)", "an address of the owner's network, or 127.0.0.1", address)
    return
  }
  if (!isShared && !isWildcard(portalAddress)) return
  for (const taken of ['portalPort', 'tlsPort'] as const)
    if (hotspot.isSound(taken) && hotspot.values[taken] === port)
      report(owner, 'port', `is the guest page's ${optionName(taken)}`, 'a port of its own', port)
}

function checkChain({ main, chain, hotspot, owner }: ReadConfig, report: Report): void {
  if (main.isSound('roles') && chain.isSound('network', 'coinbase')) {
    const { roles } = main.values
    const role = roles.find((each) => each === 'sealer' || each === 'light')
    if (role !== undefined && chain.values.network === 'none') report(chain, 'network', `is none, and the box has the role '${role}'`, "the chain's name or join file, or neither of the roles light and sealer", 'none')
    if (roles.includes('sealer') && chain.values.coinbase === null) report(chain, 'coinbase', "is missing: the role 'sealer' has to know whom to pay", "the owner's address")
  }
  if (chain.isSound('checkpointKeys') && chain.isGiven('checkpointKeys') && chain.values.checkpointKeys.length < 2)
    report(chain, 'checkpointKeys', 'names one key: two have to sign', 'two to eight keys', chain.values.checkpointKeys.length)
  checkZones(chain, report)
  if (!chain.isSound('rpcAddress', 'rpcPort') || chain.values.rpcAddress === null) return
  const { rpcAddress, rpcPort } = chain.values
  if (hotspot.isSound('portalAddress') && isSameAddress(rpcAddress, hotspot.values.portalAddress) && !isLoopback(rpcAddress))
    report(chain, 'rpcAddress', "is the guests' side (portal_address)", "an address of the owner's network, or 127.0.0.1", rpcAddress)
  if (owner.isSound('address', 'port') && isSameAddress(rpcAddress, owner.values.address) && owner.values.port === rpcPort) report(chain, 'rpcPort', "is the dashboard's", 'a port of its own', rpcPort)
}

function checkPhoton({ main, photon, hotspot }: ReadConfig, report: Report): void {
  const { roles } = main.values
  if (main.isSound('roles') && roles.includes('photon')) {
    if (!roles.some((role) => role === 'light' || role === 'sealer')) report(main, 'roles', "names 'photon' without a chain", "'light' or 'sealer' beside it", 'photon')
    if (photon.isSound('contract') && photon.values.contract === null) report(photon, 'contract', "is missing: the role 'photon' has to know whose channels", 'the address of the channel contract')
  }
  const { revealTimeout, minSettleTimeout, settleTimeout, coreSettleTimeout, listenAddress } = photon.values
  if (photon.isSound('revealTimeout', 'minSettleTimeout') && minSettleTimeout < 2 * revealTimeout + UNSEEN_BLOCKS)
    report(photon, 'minSettleTimeout', `is less than ${UNSEEN_BLOCKS} and twice reveal_timeout (${revealTimeout})`, `${2 * revealTimeout + UNSEEN_BLOCKS} or more: a closing is seen ${UNSEEN_BLOCKS} blocks deep, and there has to be time to answer it`, minSettleTimeout)
  for (const [option, value] of [['settleTimeout', settleTimeout], ['coreSettleTimeout', coreSettleTimeout]] as const)
    if (photon.isSound('minSettleTimeout', option) && value < minSettleTimeout) report(photon, option, `is less than min_settle_timeout (${minSettleTimeout})`, 'min_settle_timeout or more', value)
  if (photon.isSound('listenAddress') && hotspot.isSound('portalAddress') && listenAddress !== null && isSameAddress(listenAddress, hotspot.values.portalAddress) && !isLoopback(listenAddress))
    report(photon, 'listenAddress', "is the guests' side (portal_address)", 'an address of the mesh or of the owner\'s network', listenAddress)
  checkZones(photon, report)
  const { contract, v1Contract, v1ListenAddress } = photon.values
  if (v1Contract === null || !photon.isSound('v1Contract', 'v1ListenAddress')) return
  if (v1ListenAddress === null) report(photon, 'v1ListenAddress', 'is missing beside v1_contract: original nodes could not reach the box', "an IPv4 address of the owner's network")
  else if (hotspot.isSound('portalAddress') && isSameAddress(v1ListenAddress, hotspot.values.portalAddress) && !isLoopback(v1ListenAddress)) report(photon, 'v1ListenAddress', "is the guests' side (portal_address)", "an address of the owner's network", v1ListenAddress)
  if (photon.isSound('contract') && contract?.toLowerCase() === v1Contract.toLowerCase()) report(photon, 'v1Contract', 'is the same as contract: that one is PhotonV2, this one the original', 'the address of the original TokensNetwork', v1Contract)
}

/** Concentrators and the broker are the owner's side's alone. */
function checkIot({ main, iot, hotspot, owner }: ReadConfig, report: Report): void {
  const { gwmpPort, stationPort, broker, brokerUrl, brokerPort, brokerListenAddress, brokerListenPort } = iot.values
  const listeners = [
    ['gwmpAddress', gwmpPort === 0 ? null : iot.values.gwmpAddress],
    ['stationAddress', stationPort === 0 ? null : iot.values.stationAddress],
    ['brokerListenAddress', brokerListenAddress],
  ] as const
  for (const [property, address] of listeners) {
    if (address === null || !iot.isSound(property) || isLoopback(address)) continue
    if (isWildcard(address)) report(iot, property, 'is every address of the box, the guests\' too', "one address of the owner's network, or 127.0.0.1", address)
    else if (hotspot.isSound('portalAddress') && isSameAddress(address, hotspot.values.portalAddress)) report(iot, property, "is the guests' side (portal_address)", "an address of the owner's network, or 127.0.0.1", address)
  }
  for (const [file, key] of [['stationCertificateFile', 'stationKeyFile'], ['brokerCertificateFile', 'brokerKeyFile']] as const)
    if (iot.isSound(file, key) && (iot.values[file] === null) !== (iot.values[key] === null)) report(iot, iot.values[key] === null ? key : file, 'is missing: a certificate and its key are given together', 'both, or neither')
  if (iot.isSound('broker', 'brokerUrl') && broker === 'url' && brokerUrl === null) report(iot, 'brokerUrl', 'is missing beside `broker url`', 'the URL of a broker, or `broker own`')
  if (iot.isSound('brokerPort', 'brokerListenAddress', 'brokerListenPort') && broker === 'own' && brokerListenAddress !== null && isLoopback(brokerListenAddress) && brokerListenPort === brokerPort) report(iot, 'brokerListenPort', 'is broker_port', 'a port of its own', brokerListenPort)
  const priced = iot.values.airtimeBandPrices.map(({ band }) => band)
  const twice = priced.find((band, at) => priced.indexOf(band) !== at)
  if (iot.isSound('airtimeBandPrices') && twice !== undefined) report(iot, 'airtimeBandPrices', 'has two prices for one sub-band', 'one price for each', twice)
  if (!main.isSound('roles') || !main.values.roles.includes('iot') || !owner.isSound('address', 'port')) return
  if (iot.isSound('stationAddress', 'stationPort') && stationPort === owner.values.port && isSameAddress(iot.values.stationAddress, owner.values.address)) report(iot, 'stationPort', "is the dashboard's", 'a port of its own', stationPort)
}

function checkMesh({ main, chain, photon, mesh, hotspot, uplinks, token: own }: ReadConfig, report: Report): void {
  const { community, token, pricePerMib, maxDebt, settleAmount, listenPort, interface: meshInterface } = mesh.values
  if (main.isSound('roles') && main.values.roles.includes('relay')) {
    if (mesh.isSound('community') && community === null) report(mesh, 'community', "is missing: the role 'relay' has to know whose boxes to talk with", "the community's address (`meshbox join` writes it), or own")
    if (mesh.isSound('token') && token !== null && !main.values.roles.includes('photon')) report(mesh, 'token', 'is given on a box without payment channels', "the role 'photon' beside 'relay', or no token", token)
  }
  if (mesh.isSound('token', 'pricePerMib') && token === null && pricePerMib > 0n) report(mesh, 'pricePerMib', 'is given without the token it is paid in', 'a token, or 0')
  // Amounts are read with the decimals of section token: in another token they would be others by powers of ten.
  const named = photon.isSound('tokens') ? photon.values.tokens.find(({ address }) => address === token?.toLowerCase()) : undefined
  if (mesh.isSound('token') && own.isSound('decimals') && named !== undefined && named.decimals !== own.values.decimals)
    for (const amount of ['pricePerMib', 'settleAmount', 'maxDebt', 'maxPricePerMib', 'spendPerDay', 'upstreamCap'] as const)
      if (mesh.isSound(amount) && mesh.values[amount] > 0n) report(mesh, amount, `is read with ${own.values.decimals} decimals (section token), and the token it is paid in has ${named.decimals}`, 'a token with the decimals of section token, or 0')
  if (mesh.isSound('maxDebt', 'settleAmount') && maxDebt > 0n && settleAmount >= maxDebt) report(mesh, 'settleAmount', 'is not less than max_debt: nobody would be asked before the gate is shut', 'less than max_debt')
  for (const [room, name] of [[photon, 'photon'], [chain, 'chain']] as const)
    if (mesh.isSound('listenPort') && room.isSound('listenPort', 'listenAddress') && room.values.listenAddress !== null && room.values.listenPort === listenPort) report(mesh, 'listenPort', `is that of section ${name}`, 'a port of its own', listenPort)
  const taken = new Map<string, string>()
  if (mesh.isSound('interface')) taken.set(meshInterface, "the mesh's own")
  if (hotspot.isSound('guestInterface')) taken.set(hotspot.values.guestInterface, "the guests'")
  for (const uplink of uplinks) {
    if (uplink.isSound('maxPricePerMinute') && uplink.values.maxPricePerMinute > 0n && mesh.isSound('token') && token === null)
      report(uplink, 'maxPricePerMinute', 'is given without the token that minutes are paid in', 'a token in section mesh, or 0')
    if (!uplink.isSound('interface')) continue
    const owner = taken.get(uplink.values.interface)
    if (owner === undefined) taken.set(uplink.values.interface, `that of ${uplink.title}`)
    else report(uplink, 'interface', `is ${owner}`, 'an interface that leads out, each once', uplink.values.interface)
  }
}

interface Door {
  readonly listenZones: readonly string[]
  readonly listenAddress: string | null
  readonly listenPort: number
}

/** The firewall would be opened for nobody; who wrote it thinks that others can connect. */
function checkZones(room: SectionRead<Door>, report: Report): void {
  const { listenZones, listenAddress, listenPort } = room.values
  if (listenZones.length === 0 || !room.isSound('listenZones')) return
  if (room.isSound('listenAddress') && listenAddress === null) report(room, 'listenAddress', 'is missing beside listen_zones: nothing listens for others', 'the address that they connect to, or no listen_zones')
  if (room.isSound('listenPort') && listenPort < LEAST_OPEN_PORT) report(room, 'listenPort', 'is one that the firewall does not open for listen_zones', `${LEAST_OPEN_PORT} to 65535, or no listen_zones`, listenPort)
}

function isLoopback(address: string): boolean {
  const bytes = parseIp(address)
  if (bytes === null) return false
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, index) => byte === (index === 15 ? 1 : 0))
}

function checkPackages(packages: ReadConfig['packages'], report: Report): void {
  const bySlot = new Map<number, string>()
  for (const section of packages) {
    const { slot, seconds, bytes, tokens } = section.values
    if (section.isSound('seconds', 'bytes', 'tokens')) {
      if (tokens === null && seconds === null && bytes === null)
        report(section, 'seconds', 'is missing, and so is bytes: the package grants nothing', 'seconds, bytes or both')
      else if (tokens !== null && (seconds !== null || bytes !== null)) report(section, 'tokens', 'stands beside seconds or bytes', 'tokens alone, or seconds, bytes or both')
      else if (tokens === 0n) report(section, 'tokens', 'grants nothing', 'more than 0', '0')
    }
    if (!section.isSound('slot')) continue
    const other = bySlot.get(slot)
    if (other === undefined) bySlot.set(slot, section.title)
    else report(section, 'slot', `is taken by ${other}`, 'a slot from 0 to 15 that no other package has', slot)
  }
}

function checkHappyHour(hour: ReadConfig['happyHours'][number], report: Report): void {
  if (!hour.isSound('basis')) return
  const { basis, fromMinute, toMinute } = hour.values
  if (basis === 'clock') {
    if (hour.isSound('fromMinute') && fromMinute >= MINUTES_OF_DAY)
      report(hour, 'fromMinute', 'is not a time of day', '00:00 to 23:59, or 0 to 1439 minutes', fromMinute)
    if (hour.isSound('toMinute') && toMinute > MINUTES_OF_DAY)
      report(hour, 'toMinute', 'is not a time of day', '00:00 to 24:00, or 0 to 1440 minutes', toMinute)
    if (hour.isSound('fromMinute', 'toMinute') && fromMinute === toMinute)
      report(hour, 'toMinute', 'is the same as from_minute', 'another time; 00:00 to 24:00 is the whole day', toMinute)
    return
  }
  if (hour.isSound('fromMinute', 'toMinute') && toMinute <= fromMinute)
    report(hour, 'toMinute', 'is not after from_minute', 'more minutes than from_minute', toMinute)
  if (hour.isSound('days') && hour.isGiven('days')) report(hour, 'days', 'has no meaning with basis uptime', 'leave it out')
}

function checkShares(shares: ReadConfig['shares'], report: Report): void {
  const last = shares.at(-1)
  if (last === undefined || !shares.every((share) => share.isSound('partsPerMillion'))) return
  const sum = shares.reduce((total, share) => total + share.values.partsPerMillion, 0)
  if (sum > PARTS_OF_ALL)
    report(last, 'partsPerMillion', `with it all shares make ${sum}`, `at most ${PARTS_OF_ALL} over all shares`, last.values.partsPerMillion)
}

/** One account is paid to one place. */
function checkPayees(payees: ReadConfig['payees'], report: Report): void {
  const seen = new Set<string>()
  for (const payee of payees) {
    if (!payee.isSound('account')) continue
    const { account } = payee.values
    if (seen.has(account)) report(payee, 'account', 'has a payee already', 'each account once', account)
    seen.add(account)
  }
}
