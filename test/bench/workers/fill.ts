/** Sells `sessions` guests a day each and stops, as on a SIGTERM: what the next start finds. */
import { say, task, told } from './lines.ts'
import { configOf, guestAddress, inFlight, startRealBox, voucherCodes } from './real-box.ts'

const { text, sessions } = task<{ text: string; sessions: number }>()
const box = await startRealBox(configOf(text))
const codes = await voucherCodes(box.hotspot, 'day', sessions)
await inFlight(sessions, 32, async (n) => {
  await box.hotspot.guests.redeem(guestAddress(n), codes[n] ?? '')
})
await box.stop()
say({ filled: sessions })
for await (const _line of told()) say({ filled: sessions })
