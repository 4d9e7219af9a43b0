/**
 * The networks of the package, put in and taken out of the configuration of a fresh router by the real scripts:
 * twice is once, removal leaves every file as it was, and the owner's own changes stay.
 */
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { REPOSITORY, RouterRoot } from './router-root.ts'

const FILES = join(REPOSITORY, 'openwrt-feed/meshbox/files')
const NETWORKS = ['network', 'wireless', 'dhcp', 'firewall'] as const

let router: RouterRoot
function freshRouter(): void {
  router = new RouterRoot()
  for (const part of ['etc', 'lib', 'usr']) cpSync(join(FILES, part), join(router.path, part), { recursive: true })
  for (const script of ['setup', 'dnsmasq-link']) chmodSync(join(router.path, 'usr/lib/meshbox', script), 0o755)
}

const applyDefaults = (): string => router.must('cd /etc/uci-defaults && . ./90-meshbox && uci commit')
const networks = (): Record<string, string> => Object.fromEntries(Object.entries(router.configs()).filter(([name]) => (NETWORKS as readonly string[]).includes(name)))

describe('after apply', () => {
  beforeAll(() => {
    freshRouter()
    applyDefaults()
  })
  afterAll(() => router.remove())

  it('there is a guest network, apart from the owner’s, and says so to the service', () => {
    expect(router.uci('network.guest.device')).toBe('br-guest')
    expect(router.uci('network.guest.ipaddr')).toBe('10.77.0.1')
    expect(router.uci('network.meshbox_bridge.name')).toBe('br-guest')
    expect(router.uci('dhcp.guest.interface')).toBe('guest')
    expect(router.uci('dhcp.meshbox_portal.name')).toBe('wifi.meshbox.lan')
    expect(router.uci('meshbox.hotspot.guest_interface')).toBe('br-guest')
    expect(router.uci('meshbox.hotspot.uplink_interfaces')).toBe('wan')
    expect(router.uci('meshbox.owner.address')).toBe('192.168.1.1')
  })

  it('open to guests are DHCP, DNS, ping and the portal, and nothing else', () => {
    const show = router.must('uci show firewall')
    const fromGuests = [...show.matchAll(/^firewall\.(\w+)\.src='guest'$/gm)].map(([, name]) => name ?? '').sort()
    expect(fromGuests).toEqual(['meshbox_dhcp', 'meshbox_dhcp6', 'meshbox_dns', 'meshbox_icmp6', 'meshbox_ping', 'meshbox_portal', 'meshbox_uplink'])
    const ports = fromGuests.flatMap((name) => (router.uci(`firewall.${name}.dest_port`) ?? '').split(' ')).filter((port) => port !== '')
    expect(ports.map(Number).sort((a, b) => a - b)).toEqual([53, 67, 547, 2080, 2081, 2443])
    for (const zone of ['meshbox_guest', 'meshbox_mesh']) {
      expect(router.uci(`firewall.${zone}.input`)).toBe('REJECT')
      expect(router.uci(`firewall.${zone}.forward`)).toBe('REJECT')
    }
    expect([...show.matchAll(/\.src='(\w+)'\n(?:.*\n)*?firewall\.\w+\.dest='(\w+)'/g)].filter(([, src]) => src === 'meshbox')).toEqual([])
    expect(router.uci('firewall.meshbox_uplink.dest')).toBe('wan')
  })

  it('flow offloading is off, which would let guests past the gate', () => {
    expect(router.uci('firewall.@defaults[0].flow_offloading')).toBe('0')
  })

  it('each radio has an isolated guest network, and is itself off as before', () => {
    for (const radio of ['radio0', 'radio1']) {
      expect(router.uci(`wireless.meshbox_${radio}.network`)).toBe('guest')
      expect(router.uci(`wireless.meshbox_${radio}.isolate`)).toBe('1')
      expect(router.uci(`wireless.${radio}.disabled`)).toBe('1')
    }
  })

  it('batman-adv has a mesh of its own that stays off until it has a key', () => {
    expect(router.uci('network.bat0.proto')).toBe('batadv')
    expect(router.uci('network.meshbox_hardif.master')).toBe('bat0')
    expect(router.uci('wireless.meshbox_mesh.mode')).toBe('mesh')
    expect(router.uci('wireless.meshbox_mesh.network')).toBe('meshbox_hardif')
    expect(router.uci('wireless.meshbox_mesh.mesh_fwding')).toBe('0')
    expect(router.uci('wireless.meshbox_mesh.disabled')).toBe('1')
  })
})

describe('apply', () => {
  beforeEach(freshRouter)
  afterEach(() => router.remove())

  it('done twice is done once', () => {
    applyDefaults()
    const once = router.configs()
    applyDefaults()
    expect(router.configs()).toEqual(once)
  })

  it('begun again after it was interrupted ends the same', () => {
    applyDefaults()
    const once = router.configs()
    router.must('rm /etc/meshbox-setup/applied')
    applyDefaults()
    expect(router.configs()).toEqual(once)
  })

  it('leaves a guest network and a mesh of the owner alone', () => {
    router.write('etc/config/network', `${router.read('etc/config/network')}
config interface 'guest'
	option device 'br-guest'
	option proto 'static'
	option ipaddr '10.77.5.1'

config interface 'bat0'
	option proto 'batadv'
	option routing_algo 'BATMAN_V'
`)
    applyDefaults()
    expect(router.uci('network.guest.ipaddr')).toBe('10.77.5.1')
    expect(router.uci('network.mbguest.device')).toBe('br-mbguest')
    expect(router.uci('network.mbguest.ipaddr')).toBe('10.78.0.1')
    expect(router.uci('network.bat0.routing_algo')).toBe('BATMAN_V')
    expect(router.uci('meshbox.hotspot.guest_interface')).toBe('br-mbguest')
    expect(router.uci('firewall.meshbox_portal.src')).toBe('mbguest')
    router.must('/usr/lib/meshbox/setup remove')
    expect(router.uci('network.guest.ipaddr')).toBe('10.77.5.1')
    expect(router.uci('network.bat0.routing_algo')).toBe('BATMAN_V')
  })

  it('does not bring back what the owner deleted, whenever a radio appears', () => {
    applyDefaults()
    router.must('uci delete wireless.meshbox_radio0; uci delete wireless.meshbox_mesh; uci commit wireless')
    router.must('ACTION=add sh /etc/hotplug.d/ieee80211/90-meshbox')
    expect(router.uci('wireless.meshbox_radio0')).toBe(null)
    expect(router.uci('wireless.meshbox_mesh')).toBe(null)
    expect(router.uci('wireless.meshbox_radio1')).toBe('wifi-iface')
  })

  it('knows which interfaces concern the service', () => {
    applyDefaults()
    const concerned = ['lan', 'wan', 'wan6', 'wwan', 'guest', 'bat0', 'loopback', ''].filter((name) => router.run(`/usr/lib/meshbox/setup concerns '${name}'`).code === 0)
    expect(concerned).toEqual(['lan', 'wan', 'wan6', 'wwan', 'guest'])
  })

  it('waits for radios that are found later', () => {
    const wireless = router.read('etc/config/wireless')
    router.must('rm /etc/config/wireless')
    applyDefaults()
    expect(router.has('etc/config/wireless')).toBe(false)
    router.write('etc/config/wireless', wireless)
    router.must('ACTION=add sh /etc/hotplug.d/ieee80211/90-meshbox')
    expect(router.uci('wireless.meshbox_radio1.mode')).toBe('ap')
    router.must('/usr/lib/meshbox/setup remove')
    expect(router.read('etc/config/wireless')).toBe(wireless)
  })
})

describe('remove', () => {
  beforeEach(freshRouter)
  afterEach(() => router.remove())

  it('leaves every file byte for byte as it was', () => {
    const before = networks()
    applyDefaults()
    expect(networks()).not.toEqual(before)
    router.must('/usr/lib/meshbox/setup remove')
    expect(networks()).toEqual(before)
    expect(router.has('etc/meshbox-setup')).toBe(false)
  })

  it('is right too when nothing was ever put in, and when done twice', () => {
    const before = networks()
    router.must('/usr/lib/meshbox/setup remove')
    applyDefaults()
    router.must('/usr/lib/meshbox/setup remove; /usr/lib/meshbox/setup remove')
    expect(networks()).toEqual(before)
  })

  it('keeps what the owner has changed since, and takes out only what is ours', () => {
    applyDefaults()
    router.must("uci set network.lan.ipaddr='192.168.50.1'; uci set firewall.@zone[0].log=1; uci set wireless.radio0.disabled=0; uci commit")
    router.must('/usr/lib/meshbox/setup remove')
    expect(router.uci('network.lan.ipaddr')).toBe('192.168.50.1')
    expect(router.uci('firewall.@zone[0].log')).toBe('1')
    expect(router.uci('firewall.@defaults[0].flow_offloading')).toBe('1')
    expect(router.uci('wireless.radio0.disabled')).toBe('0')
    expect(Object.values(networks()).join('')).not.toMatch(/meshbox|guest|bat0|batadv/i)
  })

  it('leaves an option of others alone that was set to something else since', () => {
    applyDefaults()
    router.must("uci set firewall.@defaults[0].flow_offloading='maybe'; uci commit")
    router.must('/usr/lib/meshbox/setup remove')
    expect(router.uci('firewall.@defaults[0].flow_offloading')).toBe('maybe')
  })

  it('keeps book and keys and says where they are; purge erases them only when meant', () => {
    applyDefaults()
    router.must('mkdir -p /etc/meshbox && echo money > /etc/meshbox/meshbox.sqlite')
    const said = router.run('/usr/lib/meshbox/setup remove')
    expect(said.stderr).toContain('/etc/meshbox;')
    expect(router.read('etc/meshbox/meshbox.sqlite')).toBe('money\n')
    expect(router.run('/usr/lib/meshbox/setup purge').code).toBe(2)
    expect(router.has('etc/meshbox/meshbox.sqlite')).toBe(true)
    router.must('/usr/lib/meshbox/setup purge --yes')
    expect(router.has('etc/meshbox')).toBe(false)
  })
})

describe('refresh', () => {
  beforeEach(freshRouter)
  afterEach(() => router.remove())

  it('lets the dashboard follow the address of lan, and asks for a new start', () => {
    applyDefaults()
    expect(router.run('/usr/lib/meshbox/setup refresh').code).toBe(0)
    router.must("uci set network.lan.ipaddr='192.168.9.1'; uci commit network")
    expect(router.run('/usr/lib/meshbox/setup refresh').code).toBe(10)
    expect(router.uci('meshbox.owner.address')).toBe('192.168.9.1')
    expect(router.run('/usr/lib/meshbox/setup refresh').code).toBe(0)
  })

  it('leaves an address alone that the owner chose', () => {
    applyDefaults()
    router.must("uci set meshbox.owner.address='127.0.0.1'; uci set network.lan.ipaddr='192.168.9.1'; uci commit")
    expect(router.run('/usr/lib/meshbox/setup refresh').code).toBe(0)
    expect(router.uci('meshbox.owner.address')).toBe('127.0.0.1')
  })

  it('opens no more than a port when the configuration names a range', () => {
    applyDefaults()
    router.must("uci set meshbox.hotspot.portal_port='1-65535'; uci commit meshbox; /usr/lib/meshbox/setup refresh")
    expect(router.uci('firewall.meshbox_portal.dest_port')).toBe('2080 2443 2081')
  })

  describe('of who may connect to the chain', () => {
    const doors = (): (string | null)[] => ['mesh', 'wan'].map((name) => router.uci(`firewall.meshbox_chain_${name}.dest_port`))
    const set = (line: string): void => void router.must(`${line}; uci commit meshbox; /usr/lib/meshbox/setup refresh`)
    beforeEach(() => {
      applyDefaults()
      set("uci set meshbox.chain=chain; uci set meshbox.chain.network=/etc/meshbox/village.json; uci set meshbox.chain.listen_address=0.0.0.0")
    })

    it('lets nobody in by itself, neither from the Internet nor from the mesh', () => {
      expect(doors()).toEqual([null, null])
    })

    it('opens one TCP port in the zones that the owner names, and closes it again', () => {
      set('uci add_list meshbox.chain.listen_zones=mesh')
      expect(doors()).toEqual(['60303', null])
      expect(router.must('uci show firewall.meshbox_chain_mesh')).toBe(
        ["=rule", ".name='MeshBox-Chain-mesh'", ".src='meshbox'", ".proto='tcp'", ".dest_port='60303'", ".target='ACCEPT'", ''].map((line) => (line === '' ? '' : `firewall.meshbox_chain_mesh${line}`)).join('\n'),
      )
      set('uci add_list meshbox.chain.listen_zones=wan; uci set meshbox.chain.listen_port=60400')
      expect(doors()).toEqual(['60400', '60400'])
      expect(router.uci('firewall.meshbox_chain_wan.src')).toBe('wan')
      set('uci del_list meshbox.chain.listen_zones=mesh')
      expect(doors()).toEqual([null, '60400'])
      set('uci delete meshbox.chain.listen_address')
      expect(doors()).toEqual([null, null])
      set('uci set meshbox.chain.listen_address=::')
      expect(doors()).toEqual([null, '60400'])
    })

    it('never at a port where something else of a router may listen, whoever wrote that', () => {
      set('uci add_list meshbox.chain.listen_zones=wan')
      for (const port of ['22', '49151', '65536', '0']) {
        set(`uci set meshbox.chain.listen_port='${port}'`)
        expect([port, ...doors()]).toEqual([port, null, null])
      }
      for (const noNumber of ['1-65535', '60303 22']) {
        set(`uci set meshbox.chain.listen_port='${noNumber}'`)
        expect([noNumber, ...doors()]).toEqual([noNumber, null, '60303'])
      }
    })

    it('takes no other word for a zone, and leaves a rule alone that its owner deleted', () => {
      set("uci add_list meshbox.chain.listen_zones=lan; uci add_list meshbox.chain.listen_zones='*'; uci add_list meshbox.chain.listen_zones=guest")
      expect(router.must('uci show firewall')).not.toContain('meshbox_chain')
      set('uci add_list meshbox.chain.listen_zones=wan')
      router.must('uci delete firewall.meshbox_chain_wan; uci commit firewall; /usr/lib/meshbox/setup refresh')
      expect(doors()).toEqual([null, null])
    })

    it("opens other boxes' door by the same rules, apart from the chain's", () => {
      set('uci set meshbox.photon=photon; uci set meshbox.photon.listen_address=10.1.2.3; uci add_list meshbox.photon.listen_zones=mesh')
      expect([router.uci('firewall.meshbox_photon_mesh.dest_port'), router.uci('firewall.meshbox_photon_mesh.src'), ...doors()]).toEqual(['60402', 'meshbox', null, null])
      set('uci set meshbox.photon.listen_port=22')
      expect(router.uci('firewall.meshbox_photon_mesh.dest_port')).toBeNull()
    })

    it('is taken out with the rest, to the byte', () => {
      router.must('/usr/lib/meshbox/setup remove')
      const before = networks()
      applyDefaults()
      set('uci add_list meshbox.chain.listen_zones=wan; uci add_list meshbox.chain.listen_zones=mesh')
      expect(doors()).toEqual(['60303', '60303'])
      router.must('/usr/lib/meshbox/setup remove')
      expect(networks()).toEqual(before)
    })
  })

  it('opens the port the portal really has, and removal is exact all the same', () => {
    const before = networks()
    applyDefaults()
    router.must("uci set meshbox.hotspot.portal_port=8088; uci commit meshbox; /usr/lib/meshbox/setup refresh")
    expect(router.uci('firewall.meshbox_portal.dest_port')).toBe('8088 2443 2081')
    router.must('/usr/lib/meshbox/setup remove')
    expect(networks()).toEqual(before)
  })
})
