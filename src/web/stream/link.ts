/**
 * Frames between page and box: by WebSocket where there is one, else by POST, each answer carrying what the box has to
 * say. The box knows the guest by his device; nothing here proves anything, the frames do.
 */
import type { BoxLink, LinkHandlers, PageTime } from './ports.ts'

const POLL_MS = 5000
const RETRY_MS = { first: 500, most: 15_000 }
/** A WebSocket that never opened so often is not to be had here: a proxy, or a mini-browser. */
const SOCKET_TRIES = 2

/** `path`: e.g. `/stream`. */
export function boxLink(path: string, time: PageTime): BoxLink {
  const hasSocket = typeof socketClass() === 'function'
  return hasSocket ? socketLink(path, time) : pollingLink(path, time)
}

function socketLink(path: string, time: PageTime): BoxLink {
  let socket: WebSocket | null = null
  let instead: BoxLink | null = null
  let isClosed = false
  let everOpened = false
  let failures = 0

  const connect = (handlers: LinkHandlers): void => {
    const Socket = socketClass()
    if (isClosed || Socket === undefined) return
    if (!everOpened && failures >= SOCKET_TRIES) {
      instead = pollingLink(path, time)
      instead.open(handlers)
      return
    }
    const now = new Socket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`)
    now.binaryType = 'arraybuffer'
    socket = now
    now.onopen = () => {
      everOpened = true
      failures = 0
      handlers.connected()
    }
    now.onmessage = ({ data }) => handlers.received(new Uint8Array(data as ArrayBuffer))
    now.onclose = () => {
      if (isClosed || socket !== now) return
      failures++
      time.after(Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(failures, 6)), () => connect(handlers))
    }
  }
  return {
    open: connect,
    send(frames) {
      if (instead !== null) instead.send(frames)
      else if (socket?.readyState === 1) socket.send(frames as Uint8Array<ArrayBuffer>)
    },
    close() {
      isClosed = true
      instead?.close()
      socket?.close()
    },
  }
}

function pollingLink(path: string, time: PageTime): BoxLink {
  let handlers: LinkHandlers | null = null
  const waiting: Uint8Array[] = []
  let isAsking = false
  let isClosed = false
  let isOnline = false
  let delayMs = RETRY_MS.first
  let cancel: () => void = () => undefined

  const ask = (): void => {
    if (isAsking || (isClosed && waiting.length === 0)) return
    isAsking = true
    cancel()
    const body = waiting.shift() ?? new Uint8Array()
    post(path, body, (answer) => {
      isAsking = false
      if (answer === null) {
        isOnline = false
        delayMs = Math.min(RETRY_MS.most, delayMs * 2)
        waiting.length = 0
      } else {
        delayMs = RETRY_MS.first
        if (!isOnline) {
          isOnline = true
          handlers?.connected()
        }
        if (answer.length > 0) handlers?.received(answer)
      }
      if (waiting.length > 0) ask()
      else if (!isClosed) cancel = time.after(answer === null ? delayMs : POLL_MS, ask)
    })
  }
  return {
    open(given) {
      handlers = given
      ask()
    },
    send(frames) {
      waiting.push(frames)
      ask()
    },
    close() {
      isClosed = true
      cancel()
    },
  }
}

/** XMLHttpRequest: every mini-browser has it. */
function post(path: string, body: Uint8Array, done: (answer: Uint8Array | null) => void): void {
  const request = new XMLHttpRequest()
  request.open('POST', path)
  request.responseType = 'arraybuffer'
  request.timeout = 10_000
  request.setRequestHeader('Content-Type', 'application/octet-stream')
  request.onloadend = () => done(request.status === 200 && request.response instanceof ArrayBuffer ? new Uint8Array(request.response) : null)
  request.send(body as Uint8Array<ArrayBuffer>)
}

/** A mini-browser may lack it, or throw when it is touched. */
function socketClass(): typeof WebSocket | undefined {
  try {
    return globalThis.WebSocket
  } catch {
    return undefined // forbidden here: the same as not there
  }
}
