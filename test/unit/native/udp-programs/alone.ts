/** Nothing but the socket keeps this process, also while datagrams wait for each other. Usage: node alone.ts <addon>. Prints how many it heard. */
import { loadUdp } from '../../../../src/native/index.ts'

let heard = 0
const socket = loadUdp(process.argv[2] ?? '')?.({ address: '127.0.0.1', port: 0, receiveBytes: 4096, closeMs: 1_000, gatherMs: 100 }, (from, count) => {
  heard += count
  if (heard === 1) from.send(Uint8Array.of(1), { host: '127.0.0.1', port: from.port })
  else from.close()
})
socket?.send(Uint8Array.of(1), { host: '127.0.0.1', port: socket.port })
process.on('exit', () => console.log(`${heard} heard`))
