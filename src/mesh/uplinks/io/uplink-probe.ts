/**
 * Real exchanges over exactly one way out: a DNS question by UDP, or a TCP connection opened and closed.
 *
 * How it is bound: the socket gets the interface's own address, and the rule for that address (route-plan.ts) sends it into that
 * interface's table, behind whose default route is `unreachable`. Node has no SO_BINDTODEVICE; so it cannot be told apart where
 * two ways out have the same address (two LTE sticks of one make, each 192.168.8.100: give one another), a way without an address
 * is down, and an answer that came in by another interface is believed (loose reverse path filtering is needed for that).
 * Without the rules, which need root, a probe takes the system's default route whatever its address says.
 *
 * What it cannot show: a hotspot upstream that lets DNS pass before it is paid. For one of those a TCP target is needed.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { asError } from '../../../base/index.ts'
import type { Clock, Randomness, Timers } from '../../../base/index.ts'
import type { UplinkProbe } from '../../ports.ts'
import { rootQuestion, wrongWithAnswer } from '../dns-question.ts'
import { readTarget } from '../targets.ts'
import type { Target } from '../targets.ts'

type ProbeAnswer = Awaited<ReturnType<UplinkProbe['probe']>>
/** Null: it answered. */
type Finish = (wrong: string | null) => void

export interface UplinkProbeParts {
  readonly clock: Pick<Clock, 'boottimeMs'>
  readonly timers: Timers
  readonly randomness: Randomness
}

export function createUplinkProbe({ clock, timers, randomness }: UplinkProbeParts): UplinkProbe {
  return {
    async probe(interfaceName, text, timeoutMs) {
      const target = readTarget(text)
      const local = localAddress(interfaceName, target.family)
      if (local === null) return { ok: false, roundTripMs: 0, reason: `${interfaceName} has no ${target.family === null ? '' : `IPv${target.family} `}address` }
      return new Promise<ProbeAnswer>((resolve) => {
        const beganMs = clock.boottimeMs()
        let isOver = false
        const finish: Finish = (wrong) => {
          if (isOver) return
          isOver = true
          cancel()
          end()
          resolve({ ok: wrong === null, roundTripMs: clock.boottimeMs() - beganMs, reason: wrong ?? 'answers' })
        }
        const cancel = timers.after(timeoutMs, () => finish(`${text} does not answer`))
        const id = new DataView(randomness.bytes(2).buffer).getUint16(0)
        const end = target.protocol === 'dns' ? askDns(target, local, id, finish) : openTcp(target, local, finish)
      })
    },
  }
}

/** Connected, so that nobody else's datagram is heard and a refusal is. */
function askDns(target: Target, local: string, id: number, finish: Finish): () => void {
  const socket = createSocket(target.family === 6 ? 'udp6' : 'udp4')
  let isClosed = false
  socket.on('error', (error) => finish(error.message))
  socket.on('message', (bytes) => {
    const wrong = wrongWithAnswer(bytes, id)
    // Somebody else's: the right one may still come.
    if (wrong !== 'an answer to another question') finish(wrong)
  })
  socket.bind({ address: local, port: 0 }, () => {
    if (isClosed) return
    socket.connect(target.port, target.host, () => {
      if (!isClosed) socket.send(rootQuestion(id))
    })
  })
  return () => {
    isClosed = true
    socket.close()
  }
}

function openTcp(target: Target, local: string, finish: Finish): () => void {
  const socket = connect({ host: target.host, port: target.port, localAddress: local, family: local.includes(':') ? 6 : 4 })
  socket.once('connect', () => finish(null))
  socket.on('error', (error) => finish(asError(error).message))
  return () => socket.destroy()
}

/** `family` null: of a name; IPv4 where there is one. */
function localAddress(interfaceName: string, family: 4 | 6 | null): string | null {
  const all = (networkInterfaces()[interfaceName] ?? []).filter(({ address }) => !/^fe[89ab]/i.test(address))
  const of = (wanted: 4 | 6): string | undefined => all.find((each) => each.family === `IPv${wanted}`)?.address
  return (family === null ? (of(4) ?? of(6)) : of(family)) ?? null
}
