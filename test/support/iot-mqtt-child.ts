/**
 * A client of a broker in a network of its own: `node iot-mqtt-child.ts URL NAME PASSWORD`, empty for none. On standard input `sub FILTER` and `pub TOPIC`; on
 * standard output `in`, `out WHY`, `msg TOPIC`, and `did` after each line that was read.
 */
import { createInterface } from 'node:readline'
import { silentLog } from '../../src/base/index.ts'
import { systemRandomness, systemTimers } from '../../src/base/io/system.ts'
import { connectMqtt } from '../../src/iot/mqtt/io/client.ts'

const [url = '', name = '', password = ''] = process.argv.slice(2)
const client = connectMqtt(
  { url, userName: name === '' ? null : name, password: password === '' ? null : password, clientId: `${name === '' ? 'nobody' : name}-${process.pid}`, will: null },
  { timers: systemTimers, randomness: systemRandomness, log: silentLog, firstWaitMs: 200 },
)
let wasIn = false
setInterval(() => {
  if (client.isConnected !== wasIn) console.log((wasIn = client.isConnected) ? 'in' : 'out')
  else if (!wasIn && client.problem !== null) console.log(`out ${client.problem}`)
}, 50)
createInterface({ input: process.stdin }).on('line', (line) => {
  const [verb, topic = ''] = line.split(' ')
  if (verb === 'sub') client.subscribe(topic, (heard) => console.log(`msg ${heard}`))
  // A refused one is taken and dropped, or ends the connection: both are an end.
  else
    client.publish({ topic, payload: Buffer.from('{"digital_output_1":1}'), qos: 1, isRetained: true }).then(
      () => console.log('did'),
      () => console.log('did'),
    )
})
console.log('ready')
