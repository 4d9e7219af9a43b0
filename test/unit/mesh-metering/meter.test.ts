/** From the kernel's counters to the figure that is signed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beginMeter, readMeter, withNewCounters } from '../../../src/mesh/metering/meter.ts'
import type { LinkTraffic, Meter } from '../../../src/mesh/metering/index.ts'

const LINK = '02:00:00:00:00:01'
const SECOND = '02:00:00:00:00:02'

function traffic(neighbour: string, received: bigint, sent: bigint, parts: Partial<LinkTraffic> = {}): LinkTraffic {
  return { neighbour, receivedBytes: received, sentBytes: sent, receivedPackets: 0n, sentPackets: 0n, endedBytes: 0n, allReceivedBytes: received, allSentBytes: sent, ...parts }
}

describe('a figure', () => {
  it('begins at nothing, and is up from the client whoever counts', () => {
    const before = [traffic(LINK, 1000n, 2000n)]
    const after = [traffic(LINK, 1100n, 2700n)]
    expect(readMeter(beginMeter('carrier', [LINK], before), [LINK], after, 'forwarded').bytes).toEqual({ up: 100n, down: 700n })
    expect(readMeter(beginMeter('client', [LINK], before), [LINK], after, 'all').bytes).toEqual({ up: 700n, down: 100n })
  })

  it('of the box with the way out has what it let in and all it sent', () => {
    const before = beginMeter('carrier', [LINK], [traffic(LINK, 0n, 0n)])
    const now = [traffic(LINK, 10n, 20n, { endedBytes: 300n, allReceivedBytes: 999n, allSentBytes: 400n })]
    expect(readMeter(before, [LINK], now, 'way-out').bytes).toEqual({ up: 310n, down: 400n })
    expect(readMeter(before, [LINK], now, 'forwarded').bytes).toEqual({ up: 10n, down: 20n })
  })

  it('sums links, and counts one that comes later from when it came', () => {
    let meter = beginMeter('carrier', [LINK], [])
    meter = readMeter(meter, [LINK, SECOND], [traffic(LINK, 5n, 0n), traffic(SECOND, 1_000_000n, 0n)], 'forwarded')
    expect(meter.bytes).toEqual({ up: 5n, down: 0n })
    meter = readMeter(meter, [LINK, SECOND], [traffic(LINK, 5n, 0n), traffic(SECOND, 1_000_007n, 0n)], 'forwarded')
    expect(meter.bytes).toEqual({ up: 12n, down: 0n })
  })

  it('goes on over a flushed table, a missing element and a reboot', () => {
    let meter = beginMeter('carrier', [LINK], [])
    meter = readMeter(meter, [LINK], [traffic(LINK, 100n, 0n)], 'forwarded')
    meter = readMeter(meter, [LINK], [traffic(LINK, 30n, 0n)], 'forwarded')
    expect(meter.bytes.up).toBe(130n)
    meter = readMeter(meter, [LINK], [], 'forwarded')
    meter = readMeter(meter, [LINK], [traffic(LINK, 40n, 0n)], 'forwarded')
    expect(meter.bytes.up).toBe(170n)
    meter = readMeter(withNewCounters(meter), [LINK], [traffic(LINK, 200n, 0n)], 'forwarded')
    expect(meter.bytes.up).toBe(370n)
  })

  it('never goes back and never has more than passed, however often counters begin anew', () => {
    const step = fc.record({ bytes: fc.bigInt({ min: 0n, max: 1n << 40n }), isFlushed: fc.boolean(), isRead: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let meter: Meter = beginMeter('carrier', [LINK], [])
        let [raw, passed] = [0n, 0n]
        for (const { bytes, isFlushed, isRead } of steps) {
          if (isFlushed) raw = 0n
          raw += bytes
          passed += bytes
          if (!isRead) continue
          const next = readMeter(meter, [LINK], [traffic(LINK, raw, 0n)], 'forwarded')
          expect(next.bytes.up).toBeGreaterThanOrEqual(meter.bytes.up)
          meter = next
          expect(meter.bytes.up).toBeLessThanOrEqual(passed)
        }
      }),
    )
  })
})
