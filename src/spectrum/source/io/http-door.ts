/** POST requests to servers that are not trusted: no redirects, no more bytes and no more time than allowed. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { MeshBoxError, concatBytes } from '../../../base/index.ts'
import type { HttpDoor } from '../rpc/rpc-client.ts'

const MAX_SOCKETS_PER_HOST = 2
const MAX_HEADER_BYTES = 16 * 1024
const OK = 200

export class NodeHttpDoor implements HttpDoor {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST })
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_HOST })

  post(url: string, body: string, bounds: { readonly maxBytes: number; readonly timeoutMs: number }): Promise<Uint8Array> {
    const isTls = url.startsWith('https:')
    return new Promise((resolve, reject) => {
      const request = (isTls ? httpsRequest : httpRequest)(
        url,
        { method: 'POST', agent: isTls ? this.#https : this.#http, maxHeaderSize: MAX_HEADER_BYTES, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'application/json' } },
        (response) => collect(response, bounds.maxBytes).then(succeed, fail),
      )
      // The whole of it, not only the silence between two bytes: a server that drips is as slow as one that is silent.
      const timer = setTimeout(() => fail(unavailable(`no whole answer within ${bounds.timeoutMs / 1000} s`)), bounds.timeoutMs)
      const succeed = (bytes: Uint8Array): void => {
        clearTimeout(timer)
        resolve(bytes)
      }
      const fail = (error: Error): void => {
        clearTimeout(timer)
        request.destroy()
        reject(error instanceof MeshBoxError ? error : unavailable(error.message))
      }
      request.on('error', fail)
      request.end(body)
    })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  if (response.statusCode !== OK) throw unavailable(`HTTP status ${response.statusCode ?? 'unknown'}`)
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw unavailable(`an answer of ${response.headers['content-length'] ?? ''} bytes`)
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    length += piece.length
    if (length > maxBytes) throw unavailable(`an answer above ${maxBytes} bytes`)
    pieces.push(piece)
  }
  if (!response.complete) throw unavailable('an answer that ends early')
  return concatBytes(...pieces)
}

function unavailable(reason: string): MeshBoxError {
  return new MeshBoxError('unavailable', `the server gave ${reason}`, { code: 'source-slow' })
}
