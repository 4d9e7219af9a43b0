/** What neighbours carry, counted by the table meshbox_carry alone: mesh-carry-suite.ts, and what nft says. */
import { release } from 'node:os'
import { expect, it } from 'vitest'
import { CLIENT, FAR, RELAY_IN, RULES, UNICAST, client, describeCarry, ip, relay, send } from './mesh-carry-suite.ts'

describeCarry('the table meshbox_carry', () => ({}), (place) => {
  it("says in nft's words what the kernel refuses", async () => {
    const powerless = place().make({ nft: ['ip', 'netns', 'exec', relay, 'setpriv', '--bounding-set', '-all', 'nft'] })
    await expect(powerless.install({ ...RULES, isGated: false })).rejects.toMatchObject({ code: 'carry-table', message: expect.stringContaining('Operation not permitted') as unknown })
  })

  it('says what a kernel without an egress hook lacks', async () => {
    // The words of nft there.
    const stubborn = place().make({ nft: ['sh', '-c', 'echo "Error: Could not process rule: Operation not supported" >&2; exit 1'] })
    await expect(stubborn.install({ ...RULES, isGated: false })).rejects.toMatchObject({ code: 'carry-table', message: expect.stringContaining('CONFIG_NETFILTER_EGRESS') as unknown })
  })

  it('an interface that is not there is refused by name, or, since Linux 6.16, counted as soon as it comes', async () => {
    const { kernel, of } = place()
    const with9 = { ...RULES, interfaces: [...RULES.interfaces, 'in9'] }
    const [major = 0, minor = 0] = release().split('.').map(Number)
    if (major < 6 || (major === 6 && minor < 16)) return expect(kernel.install(with9)).rejects.toMatchObject({ code: 'carry-table', message: expect.stringContaining('in9') as unknown })
    expect(await kernel.install(with9)).toBe('made')
    await kernel.setAllowed(new Map([[CLIENT, 'open']]))
    ip('-n', client, 'link', 'add', 'up9', 'address', CLIENT, 'type', 'veth', 'peer', 'name', 'in9', 'address', RELAY_IN, 'netns', relay)
    for (const [name, link] of [[client, 'up9'], [relay, 'in9']] as const) ip('-n', name, 'link', 'set', link, 'up')
    const sent = await send(client, 'up9', { to: RELAY_IN, type: UNICAST, originator: FAR, bytes: 600, count: 10 })
    expect((await of(CLIENT)).receivedBytes).toBe(BigInt(sent))
  })
})
