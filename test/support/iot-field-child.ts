/**
 * A concentrator in a network of its own: `node iot-field-child.ts GATEWAY HOST PORT`. A line of hex on standard input is a frame that it hears; `air HEX` on
 * standard output is one that it sends.
 */
import { createInterface } from 'node:readline'
import { Concentrator } from './concentrator.ts'

const [gateway = '', host = '127.0.0.1', port = '1700'] = process.argv.slice(2)
const concentrator = new Concentrator({ gateway, host, port: Number(port), keepaliveMs: 500 })
concentrator.onSent(({ phy }) => console.log(`air ${Buffer.from(phy).toString('hex')}`))
await concentrator.start()
console.log('ready')
createInterface({ input: process.stdin }).on('line', (hex) => concentrator.hear({ phy: new Uint8Array(Buffer.from(hex, 'hex')) })).on('close', () => process.exit(0)) // whoever started it is gone
