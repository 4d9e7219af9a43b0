/** The room of iot-place.ts, to be killed: `node iot-child.ts FOLDER GWMP-PORT SERVER-PORT`. Orders something of the pump all the time, and says when the doors are open. */
import { writeSync } from 'node:fs'
import { PUMP, devEuiOf, openPlace, payReceipt } from '../../support/iot-place.ts'

const [folder = '', gwmp = '0', server = '0'] = process.argv.slice(2)
const place = await openPlace(folder, { gwmp: Number(gwmp), server: Number(server) })
const { desk } = place.room
payReceipt(place)
setInterval(() => payReceipt(place), 20)
let told = 0
let isAsking = false
setInterval(() => {
  if (isAsking) return
  isAsking = true
  // Refused until the pump was heard, or while its queue is full: it is asked again.
  desk.send({ devEui: devEuiOf(PUMP), what: { fPort: 2, bytes: Uint8Array.of(1, 2, 3) }, isConfirmed: told++ % 5 === 0, expiresSeconds: null, asker: 'sim' }).then(
    () => (isAsking = false),
    () => (isAsking = false),
  )
}, 15)
desk.onFrame(({ verdict }) => writeSync(1, `${verdict}\n`))
writeSync(1, 'open\n')
