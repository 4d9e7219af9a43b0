/** The Internet's echo port, UDP 7, and nothing else. */
import { createSocket } from 'node:dgram'
import { say, told } from './lines.ts'

const echo = createSocket('udp4')
echo.on('message', (message, peer) => echo.send(message, peer.port, peer.address))
await new Promise<void>((resolve) => echo.bind(7, '0.0.0.0', resolve))
say({ ready: true })
for await (const _line of told()) say({ ready: true })
echo.close()
