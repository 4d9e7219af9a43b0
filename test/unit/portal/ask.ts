/** One request over a real socket, with any Host, any method and any target. */
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { connect } from 'node:net'
import type { PortalApp } from '../../support/portal-app.ts'

export interface Question {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The authority's certificate: asks the TLS listener. */
  readonly ca?: string
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export function ask(app: PortalApp, question: Question = {}): Promise<Reply> {
  const { method = 'GET', path = '/', headers = {}, body, ca } = question
  const port = (ca === undefined ? app.server.ports.http : app.server.ports.https) ?? 0
  const host = question.host ?? `wifi.example:${port}`
  const options = { host: '127.0.0.1', port, method, path, agent: false, headers: { Host: host, ...headers } }
  return new Promise((resolve, reject) => {
    const request = ca === undefined ? plainRequest(options) : tlsRequest({ ...options, ca, servername: 'wifi.example' })
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** The hidden form token of the page this device is shown. */
export async function formToken(app: PortalApp): Promise<string> {
  const page = await ask(app)
  const token = /name="token" value="([^"]+)"/.exec(page.body)?.[1]
  if (token === undefined) throw new Error('the page has no form')
  return token
}

export async function post(app: PortalApp, path: string, fields: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const body = new URLSearchParams({ token: await formToken(app), ...fields }).toString()
  return ask(app, { method: 'POST', path, body, headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } })
}

/** Bytes as they are, for what a well-behaved client cannot send; resolves with all that came back. */
export function raw(app: PortalApp, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: app.server.ports.http ?? 0 }, () => socket.write(text))
    let back = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (back += chunk))
    socket.on('close', () => resolve(back))
    socket.on('error', reject)
  })
}
