/** Box health in plain words: one line per part, worst first; pure. */
import type { HealthLine, Level, StatusJson } from './api/status.ts'

const MIB = 1024 * 1024
const LOW_DISK_BYTES = 32 * MIB
const FULL_DISK_BYTES = 8 * MIB
const LOW_MEMORY_BYTES = 24 * MIB
const RANK: Record<Level, number> = { bad: 0, warn: 1, ok: 2 }

type Known = Omit<StatusJson, 'health' | 'setupCode'>

/** `rooms`: what payment channels, the mesh say of themselves; null on a box without. */
export function healthOf(status: Known, rooms: readonly (HealthLine | null)[]): HealthLine[] {
  const lines = [
    gateLine(status),
    storeLine(status),
    dnsmasqLine(status),
    clockLine(status),
    diskLine(status),
    memoryLine(status),
    portalTlsLine(status),
    setupLine(status),
    wordsLine(status),
    ...rooms.filter((line) => line !== null),
  ]
  return lines.sort((a, b) => RANK[a.level] - RANK[b.level])
}

function gateLine({ gate, roles }: Known): HealthLine {
  if (!roles.includes('hotspot'))
    return { part: 'gate', level: 'warn', text: 'The hotspot is not switched on', advice: "Add 'hotspot' to the roles in the configuration and restart the service." }
  switch (gate.state) {
    case 'ready':
      return { part: 'gate', level: 'ok', text: gate.repairs === 0 ? 'Gate in force' : `Gate in force, put back ${gate.repairs === 1 ? 'once' : `${gate.repairs} times`}` }
    case 'recording':
      return { part: 'gate', level: 'warn', text: 'Gate only records: nobody is held back', advice: "Run as root on a router with option gate 'nft'." }
    case 'degraded':
      return { part: 'gate', level: 'warn', text: `Gate limps: ${gate.reason ?? 'no reason given'}`, advice: 'Guests with time go on. The log says when it began.' }
    case 'down':
      return { part: 'gate', level: 'bad', text: `Gate down: ${gate.reason ?? 'no reason given'}`, advice: 'Guests are cut off as their leases end. See the log.' }
  }
}

function storeLine({ store }: Known): HealthLine {
  if (store.failedCommits === 0) return { part: 'store', level: 'ok', text: 'Books are written' }
  return {
    part: 'store',
    level: 'bad',
    text: `Writing failed since start: ${store.failedCommits}`,
    advice: 'Check the flash and its free space; make a backup.',
  }
}

function dnsmasqLine({ facts }: Known): HealthLine {
  const { state, detail } = facts.dnsmasq
  if (state === 'running') return { part: 'dnsmasq', level: 'ok', text: 'dnsmasq runs' }
  if (state === 'not-used') return { part: 'dnsmasq', level: 'ok', text: 'dnsmasq is not used' }
  return { part: 'dnsmasq', level: 'bad', text: `dnsmasq does not run: ${detail}`, advice: 'Guests get no address and no name: restart dnsmasq.' }
}

function clockLine({ clock }: Known): HealthLine {
  if (clock.trusted) return { part: 'clock', level: 'ok', text: 'Clock is right' }
  return {
    part: 'clock',
    level: 'warn',
    text: 'Clock is not confirmed',
    advice: 'Voucher dates and happy hours by the clock wait. It is confirmed by the Internet (NTP) and by logging in here.',
  }
}

function diskLine({ facts }: Known): HealthLine {
  if (facts.disk === null) return { part: 'disk', level: 'warn', text: 'Free space is not known' }
  const free = `${Math.floor(facts.disk.freeBytes / MIB)} MiB free`
  if (facts.disk.freeBytes < FULL_DISK_BYTES)
    return { part: 'disk', level: 'bad', text: `Flash is full: ${free}`, advice: 'Sessions cannot be sold when nothing can be written: make room.' }
  if (facts.disk.freeBytes < LOW_DISK_BYTES) return { part: 'disk', level: 'warn', text: `Flash is nearly full: ${free}`, advice: 'Make room soon.' }
  return { part: 'disk', level: 'ok', text: free }
}

function memoryLine({ facts }: Known): HealthLine {
  const free = `${Math.floor(facts.memory.machineFreeBytes / MIB)} MiB free`
  if (facts.memory.machineFreeBytes < LOW_MEMORY_BYTES)
    return { part: 'memory', level: 'warn', text: `Memory is short: ${free}`, advice: 'Switch off other services of the box.' }
  return { part: 'memory', level: 'ok', text: `Memory: ${free}` }
}

function portalTlsLine({ option114, roles }: Known): HealthLine {
  if (!roles.includes('hotspot')) return { part: 'portal-tls', level: 'ok', text: 'No portal without the hotspot' }
  if (option114.state === 'announced') return { part: 'portal-tls', level: 'ok', text: 'Portal announced to phones over TLS' }
  return {
    part: 'portal-tls',
    level: 'ok',
    text: `Portal is found by redirect: ${option114.reason}`,
    advice: 'With a certificate for the portal host, phones open the portal by themselves and show the time left.',
  }
}

function setupLine({ setup }: Known): HealthLine {
  if (setup.passwordSet) return { part: 'setup', level: 'ok', text: 'Owner password is set' }
  return { part: 'setup', level: 'bad', text: 'Nobody owns this box yet', advice: 'Open the dashboard and set the password with the set-up code.' }
}

function wordsLine({ setup }: Known): HealthLine {
  if (setup.recoveryWordsShown) return { part: 'backup', level: 'ok', text: 'Recovery words were written down' }
  return {
    part: 'backup',
    level: 'warn',
    text: 'Recovery words were never shown',
    advice: 'Write them down: on the dashboard under Box health, or with `meshbox identity words`.',
  }
}
