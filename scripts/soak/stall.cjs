/**
 * Loaded into each process of the soak by NODE_OPTIONS=--require: looks every 10 ms whether its main thread came back in time, and writes what
 * it found to the folder MESHBOX_SOAK_STALLS. A turn counts by the CPU time it took: on a shared machine a thread also waits for others.
 * SIGUSR2: collects all garbage, that of the process's worker threads too (needs --expose-gc), see held.ts.
 */
'use strict'
const { BroadcastChannel, isMainThread } = require('node:worker_threads')
const { writeFileSync } = require('node:fs')

const folder = process.env.MESHBOX_SOAK_STALLS
const EVERY_MS = 10
const WRITE_MS = 1000
const COLLECT = 'meshbox-soak-collect'
if (isMainThread && folder !== undefined) {
  let [lastWall, lastCpu, wall, cpu, wroteAt] = [0, 0, 0, 0, 0]
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  const look = () => {
    const [now, used] = [performance.now(), cpuMs()]
    if (lastWall > 0) {
      wall = Math.max(wall, now - lastWall - EVERY_MS)
      cpu = Math.max(cpu, used - lastCpu)
    }
    if (now - wroteAt > WRITE_MS) {
      wroteAt = now
      writeFileSync(`${folder}/${process.pid}.json`, JSON.stringify({ wallMs: wall, cpuMs: cpu }))
      ;[wall, cpu] = [0, 0]
    }
    ;[lastWall, lastCpu] = [performance.now(), cpuMs()]
  }
  const others = new BroadcastChannel(COLLECT)
  others.unref()
  process.on('SIGUSR2', () => {
    others.postMessage(null)
    global.gc()
  })
  setInterval(look, EVERY_MS).unref()
} else if (folder !== undefined) {
  const asked = new BroadcastChannel(COLLECT)
  asked.onmessage = () => global.gc()
  asked.unref()
}
