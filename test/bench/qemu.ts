/**
 * `make qemu-bench`: the numbers of the packaged service on the emulated ARM router. Times are those of an emulated
 * processor on this machine: good for comparing today's commit with yesterday's on the same one, not for a board.
 */
import { basename } from 'node:path'
import { statSync } from 'node:fs'
import { loadavg } from 'node:os'
import { say } from '../../qemu/image/places.ts'
import type { Router } from '../../qemu/router.ts'
import { memoryOf, payAndGoOnline, phonesCommand, plugPhones, servicePid, type Memory } from '../qemu/measures.ts'
import { CROWD_NOTES } from '../qemu/mesh-guest/crowd.ts'
import { MeshMachine } from '../qemu/mesh-machine.ts'
import { summary } from './measure.ts'
import { INTERNET, makeTown, plugInternet } from '../qemu/town.ts'

const STARTS = 3
const ROUNDS = 50
const SESSIONS = 200
const TICKS_PER_SECOND = 100
const ORIGINATORS = 200
const LIST_AIM_MS = 2

interface Row {
  readonly name: string
  readonly value: string
  readonly aim: string
  /** Null: no aim. */
  readonly isMet: boolean | null
}

/** Guest processor seconds the service has used since it was started. */
async function processorSeconds(router: Router): Promise<number> {
  const fields = (await router.machine.sh(`cat /proc/${await servicePid(router)}/stat`)).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function memoryRow(name: string, memory: Memory, rss: number, dirty: number): Row {
  return {
    name,
    value: `${memory.rssMebibytes.toFixed(1)} / ${memory.privateDirtyMebibytes.toFixed(1)} MiB`,
    aim: `≤ ${rss} / ${dirty} MiB`,
    isMet: memory.rssMebibytes <= rss && memory.privateDirtyMebibytes <= dirty,
  }
}

async function measure(): Promise<Row[]> {
  const rows: Row[] = []
  const town = await makeTown('prepared', [], false)
  try {
    const { package: ipk } = town.made
    const bytes = statSync(ipk.file).size
    rows.push({ name: basename(ipk.file), value: `${(bytes / 1e6).toFixed(2)} MB`, aim: '≤ 3 MB', isMet: bytes <= 3_000_000 })
    const readySeconds = await town.router.ready()
    rows.push({ name: 'boot: kernel → init scripts done', value: `${town.router.machine.readySeconds.toFixed(1)} s`, aim: '', isMet: null })
    rows.push({ name: 'boot: kernel → service answers', value: `${readySeconds.toFixed(1)} s`, aim: '', isMet: null })

    say(`cold start, ${STARTS} times`)
    const [starts, processor]: [number[], number[]] = [[], []]
    for (let round = 0; round < STARTS; round++) {
      const startedSeconds = Number(await town.router.machine.sh(`/etc/init.d/meshbox stop; cut -d' ' -f1 /proc/uptime; /etc/init.d/meshbox start`))
      starts.push((await town.router.ready()) - startedSeconds)
      processor.push(await processorSeconds(town.router))
    }
    rows.push({ name: 'cold start of the service', value: `${summary(starts).p50.toFixed(1)} s`, aim: '', isMet: null })
    rows.push({ name: 'cold start, processor time (emulated)', value: `${summary(processor).p50.toFixed(1)} s`, aim: '', isMet: null })
    rows.push(memoryRow('idle: RSS / private dirty', await memoryOf(town.router), 80, 32))

    say(`paid → online, ${ROUNDS} times`)
    await plugInternet(town.router)
    const phones = await plugPhones(town.router, SESSIONS)
    const paid = await payAndGoOnline(town.router, { ...phones, addresses: phones.addresses.slice(0, 10) }, ROUNDS, INTERNET)
    const online = summary(paid.map((one) => one.onlineMs))
    rows.push({ name: `paid → online, n=${ROUNDS}`, value: `p50 ${online.p50.toFixed(0)}, p99 ${online.p99.toFixed(0)} ms`, aim: 'p50 ≤ 50 ms', isMet: online.p50 <= 50 })
    rows.push({ name: 'paid → the page answers', value: `p50 ${summary(paid.map((one) => one.answeredMs)).p50.toFixed(0)} ms`, aim: '', isMet: null })

    say(`${SESSIONS} sessions`)
    await town.router.machine.sh(await phonesCommand(town.router, phones, { what: 'fill', packageId: 'day' }), 900)
    rows.push(memoryRow(`${SESSIONS} sessions: RSS / private dirty`, await memoryOf(town.router), 96, 48))

    say('reboot')
    await town.router.machine.powerOff()
    await town.again()
    rows.push({ name: `reboot with ${SESSIONS} sessions: kernel → service answers`, value: `${(await town.router.ready()).toFixed(1)} s`, aim: '', isMet: null })
    return rows
  } finally {
    await town.destroy()
  }
}

/** What batman-adv knows of two hundred boxes, asked by our addon and by batctl in the same machine. */
async function measureMesh(): Promise<Row[]> {
  say(`${ORIGINATORS} originators`)
  const machine = await MeshMachine.boot(ORIGINATORS)
  try {
    machine.crowd.speak()
    const { checks, notes } = await machine.part('crowd')
    const wrong = checks.filter(({ ok }) => !ok)
    if (wrong.length > 0) throw new Error(`the mesh was not as it should be: ${JSON.stringify(wrong)}`)
    const [ours, cpu, batctl] = [CROWD_NOTES.ours, CROWD_NOTES.cpu, CROWD_NOTES.batctl].map((name) => Number(notes[name]))
    return [
      { name: `netlink dump of ${ORIGINATORS} originators, p50`, value: `${ours} ms (CPU ${cpu} ms)`, aim: `≤ ${LIST_AIM_MS} ms`, isMet: (ours ?? Number.NaN) <= LIST_AIM_MS },
      { name: 'the same by `batctl o`, p50', value: `${batctl} ms`, aim: '', isMet: null },
    ]
  } finally {
    await machine.remove()
  }
}

/** `mesh`: that part alone. */
const before = loadavg()[0] ?? 0
const rows = process.argv.includes('mesh') ? await measureMesh() : [...(await measure()), ...(await measureMesh())]
console.log(`\nemulated Cortex-A53, 2 cores, 512 MiB (QEMU, no acceleration); load of this machine ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after\n`)
console.log('| | measured | aim | |\n|---|---|---|---|')
for (const { name, value, aim, isMet } of rows) console.log(`| ${name} | ${value} | ${aim} | ${isMet === null ? '' : isMet ? 'met' : 'MISSED'} |`)
