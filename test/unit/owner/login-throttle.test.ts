import { describe, expect, it } from 'vitest'
import { MeshBoxError } from '../../../src/base/index.ts'
import { LoginThrottle, addressKey } from '../../../src/owner/login-throttle.ts'

/** Tries once and fails; seconds to wait when it was not even let through. */
function tryOnce(throttle: LoginThrottle, address: string, nowMs: number): number {
  try {
    throttle.begin(address, nowMs)
  } catch (thrown) {
    if (!(thrown instanceof MeshBoxError) || thrown.code !== 'too-many-tries') throw thrown
    return thrown.retryAfterSeconds ?? Number.NaN
  }
  throttle.done()
  return 0
}

/** How many tries somebody gets through who tries as fast as he is let. */
function triesWithin(throttle: LoginThrottle, address: (n: number) => string, seconds: number): number {
  let tries = 0
  for (let nowMs = 1_000_000; nowMs < 1_000_000 + seconds * 1000; ) {
    const wait = tryOnce(throttle, address(tries), nowMs)
    if (wait === 0) tries++
    else nowMs += wait * 1000
  }
  return tries
}

describe('brake on guessing', () => {
  it('lets three wrong tries through, then waits longer each time', () => {
    const throttle = new LoginThrottle()
    let nowMs = 1_000_000
    for (let n = 0; n < 3; n++) expect(tryOnce(throttle, '192.168.1.5', nowMs)).toBe(0)
    const waits = Array.from({ length: 12 }, () => {
      const wait = tryOnce(throttle, '192.168.1.5', nowMs)
      nowMs += wait * 1000
      expect(tryOnce(throttle, '192.168.1.5', nowMs)).toBe(0)
      return wait
    })
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
  })

  it('leaves one address less than 200 tries a day', () => {
    expect(triesWithin(new LoginThrottle(), () => '192.168.1.5', 86_400)).toBeLessThan(200)
  })

  it('leaves all addresses together less than 6,000 tries a day, however many they are', () => {
    expect(triesWithin(new LoginThrottle(), (n) => `10.0.${n >> 8}.${n & 255}`, 86_400)).toBeLessThan(6000)
  })

  it('never makes the owner wait longer than 15 seconds for what others did', () => {
    const throttle = new LoginThrottle()
    triesWithin(throttle, (n) => `10.0.${n >> 8}.${n & 255}`, 3600)
    expect(tryOnce(throttle, '192.168.1.5', 1_000_000 + 3600_000)).toBeLessThanOrEqual(15)
  })

  it('does not hold up an address that was right before for what others did', () => {
    const throttle = new LoginThrottle()
    throttle.begin('192.168.1.5', 0)
    throttle.done()
    throttle.passed('192.168.1.5')
    triesWithin(throttle, (n) => `10.0.${n >> 8}.${n & 255}`, 3600)
    expect(tryOnce(throttle, '10.99.0.1', 1_000_000 + 3600_000)).toBe(0)
    expect(tryOnce(throttle, '192.168.1.6', 1_000_000 + 3600_000)).toBe(15)
    for (let n = 0; n < 3; n++) expect(tryOnce(throttle, '192.168.1.5', 1_000_000 + 3600_000)).toBe(0)
    expect(tryOnce(throttle, '192.168.1.5', 1_000_000 + 3600_000)).toBe(2)
  })

  it('counts a whole IPv6 /64 as one', () => {
    const many = triesWithin(new LoginThrottle(), (n) => `fd00:1:2:3::${(n + 1).toString(16)}`, 600)
    expect(many).toBe(triesWithin(new LoginThrottle(), () => '192.168.1.5', 600))
  })

  it('forgives an address that was right', () => {
    const throttle = new LoginThrottle()
    for (let n = 0; n < 3; n++) tryOnce(throttle, 'a', 0)
    throttle.begin('b', 0)
    throttle.done()
    throttle.passed('b')
    for (let n = 0; n < 3; n++) expect(tryOnce(throttle, 'b', 0)).toBe(0)
  })

  it('forgets after half an hour', () => {
    const throttle = new LoginThrottle()
    for (let n = 0; n < 6; n++) tryOnce(throttle, 'a', n * 100_000)
    expect(tryOnce(throttle, 'a', 500_000 + 31 * 60_000)).toBe(0)
    expect(tryOnce(throttle, 'a', 500_000 + 31 * 60_000)).toBe(0)
  })

  it('lets only two checks run at once', () => {
    const throttle = new LoginThrottle()
    throttle.begin('a', 0)
    throttle.begin('b', 0)
    expect(() => throttle.begin('c', 0)).toThrow('wait 1 s')
    throttle.done()
    throttle.begin('c', 0)
  })

  it.each([
    ['192.168.1.5', '192.168.1.5'],
    ['::ffff:192.168.1.5', '192.168.1.5'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:DB8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('counts %s as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
})
