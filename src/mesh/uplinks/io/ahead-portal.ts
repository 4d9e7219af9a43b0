/**
 * The portal of the hotspot behind an interface: HTTP to the interface's own default gateway, from the interface's own address, which
 * the rules for ways out bind to that interface (route-plan.ts). Plain, as a hotspot's page is before anything is paid. Nothing leads to
 * another host; an answer has a size and a time.
 */
import { request } from 'node:http'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { Hash, Timers } from '../../../base/index.ts'
import { readAnswer, readRefusal, readTerms } from '../ahead-answers.ts'
import type { AheadAnswer, AheadPortal } from '../hotspot-seller.ts'
import type { UplinkLinks } from '../uplink-watch.ts'

const TERMS_PATH = '/ahead.json'
const ORDER_PATH = '/ahead'
/** As the package sets it up; on port 80 the gate leads who has not paid to where the portal is. */
const USUAL_PORT = 2080
const WEB_PORT = 80
const MAX_ANSWER_BYTES = 4096
const ANSWER_MS = 5000

export interface AheadPortalParts {
  readonly links: Pick<UplinkLinks, 'places'>
  readonly timers: Timers
  /** Where the hotspot talks with boxes, each time that it says so. */
  readonly onBoxesPort?: (gateway: string, port: number) => void
  /** For tests, whose portals are on other ports. */
  readonly usualPorts?: readonly number[]
}

interface Place {
  readonly gateway: string
  readonly local: string
}

interface Answer {
  readonly status: number
  readonly location: string | null
  readonly text: string
}

export function createAheadPortal({ links, timers, onBoxesPort, usualPorts = [USUAL_PORT, WEB_PORT] }: AheadPortalParts): AheadPortal {
  /** By interface: where its gateway answered, and what a form has to carry. */
  const known = new Map<string, { readonly gateway: string; readonly port: number; readonly formToken: string }>()

  const placeOf = (interfaceName: string): Place => {
    const [place] = links.places([interfaceName])
    const gateway = place?.routes.find(({ family, gateway: at }) => family === 4 && at !== null)?.gateway ?? null
    const local = place?.addresses.find(({ family }) => family === 4)?.address ?? null
    if (gateway === null || local === null) throw unreached(`${interfaceName} has no IPv4 gateway`)
    return { gateway, local }
  }

  const look = async (interfaceName: string): ReturnType<AheadPortal['terms']> => {
    const place = placeOf(interfaceName)
    const before = known.get(interfaceName)
    known.delete(interfaceName)
    let trouble: MeshBoxError | null = null
    for (const port of new Set([...(before?.gateway === place.gateway ? [before.port] : []), ...usualPorts])) {
      try {
        const found = await termsAt(place, port)
        if (found !== null) {
          known.set(interfaceName, { gateway: place.gateway, port: found.port, formToken: found.formToken })
          return found.terms
        }
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError) || thrown.kind === 'input') throw thrown
        trouble = thrown
      }
    }
    if (trouble !== null) throw trouble
    return null
  }

  const termsAt = async (place: Place, port: number): Promise<(Omit<ReturnType<typeof readTerms>, 'boxesPort'> & { readonly port: number }) | null> => {
    const first = await ask(place, port, 'GET', TERMS_PATH, null, timers)
    const led = first.status === 302 ? portOf(first.location, place.gateway) : null
    const { status, text } = led === null || led === port ? first : await ask(place, led, 'GET', TERMS_PATH, null, timers)
    if (status === 200) {
      const { boxesPort, ...read } = readTerms(text)
      if (boxesPort !== null) onBoxesPort?.(place.gateway, boxesPort)
      return { ...read, port: led ?? port }
    }
    // It does not know this device yet, or has too much to do.
    if (status === 503 || status === 429) throw unreached('the hotspot is busy')
    const { code, message } = readRefusal(text)
    if (code !== null && code !== 'not-found') throw new MeshBoxError('conflict', `the hotspot: ${message}`, { code: 'refused' })
    return null
  }

  const order = async (interfaceName: string, reference: Hash): Promise<AheadAnswer> => {
    const place = placeOf(interfaceName)
    for (let isAgain = false; ; isAgain = true) {
      if (known.get(interfaceName)?.gateway !== place.gateway && (await look(interfaceName)) === null) throw unreached('the hotspot sells no minutes to boxes now')
      const { port, formToken } = known.get(interfaceName) ?? { port: USUAL_PORT, formToken: '' }
      const { status, text } = await ask(place, port, 'POST', ORDER_PATH, new URLSearchParams({ reference, token: formToken }).toString(), timers)
      if (status === 200) return readAnswer(text)
      const { code, message } = readRefusal(text)
      if (code === 'ahead-other-device') return { state: 'elsewhere' }
      // It was started anew: what forms have to carry is new, too.
      known.delete(interfaceName)
      if (code !== 'page-old' || isAgain) throw new MeshBoxError(status === 409 ? 'conflict' : 'unavailable', message === '' ? `the hotspot answered with ${status}` : `the hotspot: ${message}`, { code: 'refused' })
    }
  }

  return { terms: look, order }
}

/** Null: it leads elsewhere. */
function portOf(location: string | null, gateway: string): number | null {
  const match = /^http:\/\/([0-9.]+)(?::([1-9]\d{0,4}))?\/ahead\.json$/.exec(location ?? '')
  return match?.[1] === gateway ? Number(match[2] ?? WEB_PORT) : null
}

function ask({ gateway, local }: Place, port: number, method: 'GET' | 'POST', path: string, form: string | null, timers: Timers): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(form === null ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) }) }
    const asked = request({ host: gateway, port, localAddress: local, family: 4, method, path, headers, agent: false, maxHeaderSize: MAX_ANSWER_BYTES })
    const fail = (reason: string): void => {
      cancel()
      asked.destroy()
      reject(unreached(reason))
    }
    const cancel = timers.after(ANSWER_MS, () => fail('the hotspot answers too slowly'))
    asked.on('error', (error) => fail(asError(error).message))
    asked.on('response', (response) => {
      const pieces: Buffer[] = []
      let size = 0
      response.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > MAX_ANSWER_BYTES) return fail(`the hotspot's answer is longer than ${MAX_ANSWER_BYTES} bytes`)
        pieces.push(piece)
      })
      response.on('error', (error) => fail(asError(error).message))
      response.on('end', () => {
        cancel()
        resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? null, text: Buffer.concat(pieces).toString('utf8') })
      })
    })
    asked.end(form ?? undefined)
  })
}

function unreached(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', reason, { code: 'no-hotspot', retryAfterSeconds: 15 })
}
