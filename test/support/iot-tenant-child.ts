/** A tenant's network server as far as it takes frames: `node iot-tenant-child.ts PORT`. Speaks GWMP; `got HEX` on standard output is a frame that it has. */
import { createSocket } from 'node:dgram'

const [PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_ACK] = [0, 1, 2, 4]
const socket = createSocket('udp4')
socket.on('message', (bytes, from) => {
  const kind = bytes[3]
  if (kind !== PUSH_DATA && kind !== PULL_DATA) return
  if (kind === PUSH_DATA) for (const { data } of (JSON.parse(bytes.subarray(12).toString()) as { rxpk?: readonly { data: string }[] }).rxpk ?? []) console.log(`got ${Buffer.from(data, 'base64').toString('hex')}`)
  socket.send(Buffer.from([bytes[0] ?? 2, bytes[1] ?? 0, bytes[2] ?? 0, kind === PUSH_DATA ? PUSH_ACK : PULL_ACK]), from.port, from.address)
})
process.stdin.resume().once('end', () => process.exit(0)) // whoever started it is gone
socket.bind(Number(process.argv[2] ?? 1700), () => console.log('ready'))
