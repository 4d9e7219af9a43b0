/**
 * The Internet of the town, as one process: every name leads here. Port 80 answers each operating system's
 * probe as its maker would, and a small shop page to anything else; 443 accepts and greets; UDP and TCP 7
 * echo; UDP 9000 counts what arrives, so that a test can see a packet that should not have passed.
 * Started as `node internet-server.ts` inside the namespace; prints `ready` when all listen.
 */
import { createSocket } from 'node:dgram'
import { createServer as createHttp } from 'node:http'
import { createServer as createTcp } from 'node:net'

/** portal.md 2.4: probe host and path → what means "online". */
const PROBES: Readonly<Record<string, { status: number; body: string }>> = {
  'connectivitycheck.gstatic.com/generate_204': { status: 204, body: '' },
  'www.gstatic.com/generate_204': { status: 204, body: '' },
  'www.google.com/gen_204': { status: 204, body: '' },
  'play.googleapis.com/generate_204': { status: 204, body: '' },
  'captive.apple.com/hotspot-detect.html': { status: 200, body: '<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>' },
  'www.msftconnecttest.com/connecttest.txt': { status: 200, body: 'Microsoft Connect Test' },
  'ipv6.msftconnecttest.com/connecttest.txt': { status: 200, body: 'Microsoft Connect Test' },
  'detectportal.firefox.com/canonical.html': { status: 200, body: '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>' },
  'detectportal.firefox.com/success.txt': { status: 200, body: 'success\n' },
  'nmcheck.gnome.org/check_network_status.txt': { status: 200, body: 'NetworkManager is online\n' },
  'connectivity-check.ubuntu.com/': { status: 204, body: '' },
  'spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html': { status: 200, body: '<html><body>81ce4465-7167-4dcb-835b-dcc9e44c112a</body></html>' },
}

const web = createHttp((request, response) => {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '')
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  if (path === '/big') {
    const bytes = Math.min(50_000_000, Number(new URL(request.url ?? '/', 'http://x').searchParams.get('bytes') ?? 1_000_000))
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
    response.end(Buffer.alloc(bytes, 0x55))
    return
  }
  const probe = PROBES[`${host}${path}`]
  if (probe) {
    response.writeHead(probe.status, { 'content-type': 'text/html' })
    response.end(probe.body)
    return
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`<!doctype html><title>${host}</title><h1>Welcome to the Internet</h1><p>This is ${host}, and you come from ${request.socket.remoteAddress ?? '?'}.</p>`)
})

const echo = createSocket({ type: 'udp6', ipv6Only: false })
echo.on('message', (message, peer) => echo.send(message, peer.port, peer.address))

const counted = new Map<string, number>()
const counter = createSocket({ type: 'udp6', ipv6Only: false })
counter.on('message', (message, peer) => {
  const text = message.toString('latin1')
  if (text.startsWith('count?')) counter.send(String(counted.get(text.slice(6)) ?? 0), peer.port, peer.address)
  else counted.set(text, (counted.get(text) ?? 0) + 1)
})

await Promise.all([
  new Promise<void>((resolve) => web.listen(80, '::', resolve)),
  new Promise<void>((resolve) => createTcp((socket) => { socket.on('error', () => socket.destroy()); socket.end('hello\n') }).listen(443, '::', resolve)),
  new Promise<void>((resolve) => createTcp((socket) => { socket.on('error', () => socket.destroy()); socket.pipe(socket) }).listen(7, '::', resolve)),
  new Promise<void>((resolve) => echo.bind(7, '::', resolve)),
  new Promise<void>((resolve) => counter.bind(9000, '::', resolve)),
])
console.log('ready')
