/** The stand-in's functions.sh, rc.common, procd and ubus, as an init script and a package see them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeGuest } from './guest.ts'
import type { Guest } from './guest.ts'
import { makePackage } from './packages.ts'

const SERVICE = `#!/bin/sh /etc/rc.common
START=95
STOP=10
USE_PROCD=1
EXTRA_COMMANDS="hello"
hello() { echo "hello $1"; }
start_service() {
	config_load app
	config_get port main port 80
	procd_open_instance worker
	procd_set_param command /usr/bin/worker --port "$port" "it's"
	procd_set_param env WORD="two words" 'QUOTE=a"b'
	procd_set_param limits nofile="300 400" core="0 0"
	procd_set_param respawn 3600 1 2
	procd_set_param user app
	procd_set_param group app
	procd_set_param capabilities /etc/capabilities/app.json
	procd_set_param no_new_privs 1
	procd_set_param file /etc/config/app /etc/extra
	procd_set_param reload_signal HUP
	procd_set_param term_timeout 1
	procd_set_param stdout 1
	procd_set_param stderr 1
	procd_set_param pidfile /var/run/worker.pid
	procd_close_instance
}
service_triggers() {
	procd_add_reload_trigger app
	procd_add_interface_trigger "interface.*" lan /etc/init.d/app hello interface
	procd_add_raw_trigger "made.up" 1000 touch /tmp/raw
}
`
// Says what it is, then waits for signals.
const WORKER = `#!/bin/sh
{ echo "args: $*"; echo "env: $WORD $QUOTE"; id -u; id -g; ulimit -n; ulimit -Hn; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; } > /tmp/worker/said
echo to-out; echo to-err >&2
trap 'echo hup >> /tmp/worker/signals' HUP
trap 'echo term >> /tmp/worker/signals; [ -e /tmp/worker/stubborn ] || exit 0' TERM
while :; do sleep 1 & wait $!; done
`
const CAPABILITIES = `{
	"bounding": [ "CAP_NET_ADMIN" ],
	"effective": [ "CAP_NET_ADMIN" ],
	"ambient": [ "CAP_NET_ADMIN" ],
	"permitted": [ "CAP_NET_ADMIN" ],
	"inheritable": [ "CAP_NET_ADMIN" ]
}
`
// Waits until a command succeeds, at most as long as a loaded machine may need.
const WAIT = 'until_true() { n=0; until eval "$1" > /dev/null 2>&1; do n=$((n + 1)); [ $n -lt 400 ] || { echo "never: $1"; return 1; }; sleep 0.1; done; }\n'
const HEAD = `${WAIT}mkdir -p /tmp/worker; chmod 777 /tmp/worker; rm -f /tmp/worker/*; up='[ -s /tmp/worker/said ] && grep -q NoNew /tmp/worker/said'\n`

let guest: Guest
beforeAll(() => {
  guest = makeGuest()
  guest.write('etc/init.d/app', SERVICE, 0o755)
  guest.write('usr/bin/worker', WORKER, 0o755)
  guest.write('etc/capabilities/app.json', CAPABILITIES)
  guest.write('etc/config/app', "config app 'main'\n\toption port '8080'\n")
  guest.write('etc/extra', 'x\n')
  guest.write('etc/passwd', 'root:x:0:0:root:/root:/bin/ash\napp:x:6420:6420:app:/var/run/app:/bin/false\n')
  guest.write('etc/group', 'root:x:0:\napp:x:6420:app\n')
})
afterAll(() => guest.remove())

function said(text: string): string[] {
  const done = guest.run(text)
  expect(done.err).toBe('')
  return done.out.split('\n').slice(0, -1)
}

describe('functions.sh', () => {
  it('loads a configuration as OpenWrt does', () => {
    guest.write('etc/config/list', "config a 'one'\n\toption text 'it'\\''s $HOME `x`'\n\tlist l '1 2'\n\tlist l '3'\n\toption yes 'on'\nconfig b\n\toption x 'y'\nconfig a 'two'\n")
    expect(
      said(`. /lib/functions.sh
config_load list
each() { echo "section $1 $2"; }
item() { echo "item <$1> $2"; }
config_foreach each a more
config_foreach each
config_get t one text; echo "$t"
config_list_foreach one l item arg
config_get l one l; echo "$l"
config_get none one none fallback; echo "$none"
config_get_bool yes one yes; config_get_bool no one none 0; echo "$yes $no"
config_get x "$(echo "$CONFIG_SECTIONS" | cut -d ' ' -f 2)" x; echo "$x"
config_load list; config_list_foreach one l item again
append v a; append v b; append v c ,; echo "$v"; list_contains v b,c && echo has
uci_set list one text new; uci_get list one text; uci_get list none x default; uci_add list b; uci_revert list
config_cb() { echo "cb $1 $2"; }; option_cb() { echo "  $1=$2"; }; list_cb() { echo "  $1+=$2"; }
config_load list | head -n 3
`),
    ).toEqual([
      'section one more', 'section two more', 'section one ', expect.stringMatching(/^section cfg02[0-9a-f]{4} $/), 'section two ',
      "it's $HOME `x`", 'item <1 2> arg', 'item <3> arg', '1 2 3', 'fallback', '1 0', 'y', 'item <1 2> again', 'item <3> again', 'a b,c', 'has', 'new', 'default',
      'cb a one', "  text=it's $HOME `x`", '  l+=1 2',
    ])
  })
})

describe('an init script under procd', () => {
  it('starts with user, limits, capability and environment, and stops', () => {
    const lines = said(`${HEAD}syslogd -O /tmp/first.log
/etc/init.d/app status; echo $?
/etc/init.d/app start
until_true "$up"; cat /tmp/worker/said
/etc/init.d/app status; /etc/init.d/app running && echo up
[ "$(cat /var/run/worker.pid)" = "$(cat /var/run/procd/app/worker/pid)" ] && echo pidfile
until_true 'grep -q to-err /tmp/first.log && grep -q to-out /tmp/first.log'; grep -o 'daemon.*worker: to-.*' /tmp/first.log | sort
ubus call service list '{"name":"app"}' | sed 's/"pid":[0-9]*/"pid":0/'
/etc/init.d/app stop; cat /tmp/worker/signals
/etc/init.d/app running || echo down; /etc/init.d/app status; [ -e /var/run/worker.pid ] || echo gone
/etc/init.d/app hello you; /etc/init.d/app nonsense | head -n 1`)
    expect(lines).toEqual([
      'inactive', '3',
      "args: --port 8080 it's", 'env: two words a"b', '6420', '6420', '300', '400', 'CapEff:\t0000000000001000', 'CapBnd:\t0000000000001000', 'NoNewPrivs:\t1',
      'running', 'up', 'pidfile', 'daemon.err worker: to-err', 'daemon.info worker: to-out',
      `{"app":{"instances":{"worker":{"running":true,"pid":0,"command":["/usr/bin/worker","--port","8080","it's"]}}}}`,
      'term', 'down', 'inactive', 'gone', 'hello you', 'Syntax: /etc/init.d/app [command]',
    ])
  })

  it('is left alone when nothing changed, gets its signal when a file changed, is restarted when its settings changed', () => {
    const lines = said(`${HEAD}pid() { cat /var/run/procd/app/worker/pid; }
/etc/init.d/app start; until_true "$up"; first=$(pid)
/etc/init.d/app start; [ "$(pid)" = "$first" ] && echo same
echo y >> /etc/extra; /etc/init.d/app reload; until_true 'grep -q hup /tmp/worker/signals'; [ "$(pid)" = "$first" ] && echo signalled
rm /tmp/worker/said; uci set app.main.port=9090; uci commit app; /etc/init.d/app start; until_true "$up"
[ "$(pid)" != "$first" ] && head -n 1 /tmp/worker/said
/etc/init.d/app stop; uci set app.main.port=8080; uci commit app`)
    expect(lines).toEqual(['same', 'signalled', "args: --port 9090 it's"])
  })

  it('is started again after a crash, and given up when it crashes on', () => {
    const lines = said(`${HEAD}syslogd -O /tmp/second.log
/etc/init.d/app start; until_true "$up"
for crash in 1 2 3; do
  rm -f /tmp/worker/said; kill -9 $(cat /var/run/procd/app/worker/pid)
  [ $crash = 3 ] || { until_true "$up"; until_true '[ -s /var/run/procd/app/worker/pid ]'; echo "again $crash"; }
done
until_true 'grep -q "crash loop" /tmp/second.log'
/etc/init.d/app status; echo $?; ubus call service list '{"name":"app"}' | grep -o '"running":.*'
/etc/init.d/app start; until_true "$up"; /etc/init.d/app status; /etc/init.d/app stop`)
    expect(lines).toEqual(['again 1', 'again 2', 'not running', '5', expect.stringContaining('"running":false'), 'running'])
  })

  it('kills what does not end in time', () => {
    const lines = said(`${HEAD}/etc/init.d/app start; until_true "$up"; pid=$(cat /var/run/procd/app/worker/pid); touch /tmp/worker/stubborn
/etc/init.d/app stop; [ ! -d /proc/$pid ] && echo killed; cat /tmp/worker/signals
rm -f /tmp/worker/*; /etc/init.d/app restart; until_true "$up"; /etc/init.d/app stop; cat /tmp/worker/signals`)
    // What a restart started ends as what a start started.
    expect(lines).toEqual(['killed', 'term', 'term'])
  })

  it('is enabled, run at boot in order, and ended at shutdown', () => {
    guest.write('etc/init.d/early', '#!/bin/sh /etc/rc.common\nSTART=05\nSTOP=99\nboot() { echo "early boot"; }\nstop() { echo "early stop"; }\n', 0o755)
    guest.write('etc/uci-defaults/10-ok', 'uci set app.main.first=1\nexit 0\n')
    guest.write('etc/uci-defaults/20-bad', 'exit 1\n')
    guest.write('etc/config/system', "config system\n\toption hostname 'box'\n")
    const lines = said(`${HEAD}/etc/init.d/app enabled || echo no; /etc/init.d/app enable; /etc/init.d/early enable; ls /etc/rc.d; /etc/init.d/app enabled && echo yes
unshare -u true 2> /dev/null; /usr/lib/stand-in/boot; until_true "$up"; ls /etc/uci-defaults; uci get app.main.first; uci changes
/usr/lib/stand-in/shutdown; cat /tmp/worker/signals
/etc/init.d/app disable; ls /etc/rc.d; uci delete app.main.first; uci commit`)
    expect(lines).toEqual(['no', 'K10app', 'K99early', 'S05early', 'S95app', 'yes', 'early boot', '20-bad', '1', 'early stop', 'term', 'K99early', 'S05early'])
  })
})

describe('events', () => {
  it('start what a service asked for, once', () => {
    const lines = said(`${HEAD}/etc/init.d/app start; until_true "$up"
ubus call service event '{"type":"config.change","data":{"package":"other"}}'
uci set app.main.port=7070; uci commit; rm /tmp/worker/said
reload_config; reload_config; until_true "$up"; head -n 1 /tmp/worker/said
ubus send made.up; until_true '[ -e /tmp/raw ]' && echo raw
ubus call service signal '{"name":"app","instance":"worker","signal":1}'; until_true 'grep -q hup /tmp/worker/signals' && echo signal
ubus call service delete '{"name":"app"}'; /etc/init.d/app status`)
    expect(lines).toEqual(["args: --port 7070 it's", 'raw', 'signal', 'inactive'])
  })

  it('reach hotplug scripts with their variables, in order', () => {
    guest.write('etc/hotplug.d/iface/20-b', 'echo "b $ACTION $INTERFACE"\nexit 1\n')
    guest.write('etc/hotplug.d/iface/10-a', 'echo "a $HOTPLUG_TYPE"\n')
    expect(said('ACTION=ifup INTERFACE=lan hotplug-call iface')).toEqual(['a iface', 'b ifup lan'])
  })
})

describe('ubus', () => {
  it('calls exec plugins of rpcd', () => {
    guest.write(
      'usr/libexec/rpcd/box',
      `#!/bin/sh
case "$1" in
	list) echo '{"status":{},"voucher":{"count":5,"name":"x","loud":true}}' ;;
	call) read -r input; case "$2" in status) echo '{"up":true}' ;; voucher) echo "{\\"got\\":$input}" ;; esac ;;
esac
`,
      0o755,
    )
    expect(said('ubus list; ubus -v list box; ubus call box status; ubus call box voucher \'{"count":1}\'')).toEqual([
      'box', 'service', "'box'", '\t"status":{}', '\t"voucher":{"count":"Integer","name":"String","loud":"Boolean"}', '{"up":true}', '{"got":{"count":1}}',
    ])
    const codes = guest.run(`ubus call box none; echo $?; ubus call none x; echo $?; ubus call box status 'x'; echo $?; ubus call box status '[1]'; echo $?`)
    expect(codes.out).toBe('3\n4\n2\n2\n')
    expect(codes.err).toContain('Command failed: Method not found')
  })
})

describe('a package on a running system', () => {
  it('makes its user, runs its defaults, is enabled and started; an upgrade keeps what the owner switched off; removal ends all', () => {
    const base = {
      name: 'pkg',
      control: ['Require-User: pkg=6500:pkg=6500:extra=6501,more other:grown'],
      conffiles: ['/etc/config/pkg'],
      scripts: Object.fromEntries(['postinst', 'prerm'].map((name) => [name, `[ "\${IPKG_NO_SCRIPT}" = 1 ] && exit 0\n[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0\n. \${IPKG_INSTROOT}/lib/functions.sh\ndefault_${name} $0 $@`])),
      files: {
        '/etc/config/pkg': "config pkg 'main'\n",
        '/etc/init.d/pkg': '#!/bin/sh /etc/rc.common\nSTART=90\nUSE_PROCD=1\nstart_service() {\n\tprocd_open_instance\n\tprocd_set_param command sleep 1000\n\tprocd_set_param user pkg\n\tprocd_close_instance\n}\n',
        '/etc/uci-defaults/90-pkg': 'uci set pkg.main.done="$(id -u)"\n',
      },
    }
    makePackage(`${guest.root}/root`, { ...base, version: '1' })
    makePackage(`${guest.root}/root`, { ...base, version: '2', scripts: { ...base.scripts, 'postinst-pkg': 'echo own $PKG_UPGRADE' } })
    const lines = said(`opkg install /root/pkg_1_all.ipk
tail -n 2 /etc/passwd; tail -n 5 /etc/group; ls /etc/uci-defaults; uci get pkg.main.done; /etc/init.d/pkg enabled && echo enabled
/etc/init.d/pkg status; id -u $(ps -o pid,user,args | awk '/[s]leep 1000/ { print $2 }')
/etc/init.d/pkg disable; opkg install /root/pkg_2_all.ipk 2>&1; /etc/init.d/pkg enabled || echo still off; /etc/init.d/pkg status
opkg remove pkg; ls /etc/init.d/ | grep -c pkg; ps | grep -c '[s]leep 1000'; cat /etc/config/pkg`)
    expect(lines).toEqual([
      'Installing pkg (1) to root...', 'Configuring pkg.',
      'pkg:x:6500:6500:pkg:/var/run/pkg:/bin/false', 'other:x:32768:32769:other:/var/run/other:/bin/false',
      'app:x:6420:app', 'pkg:x:6500:pkg', 'extra:x:6501:pkg', 'more:x:32768:pkg', 'grown:x:32769:other',
      '20-bad', '0', 'enabled', 'running', '6500',
      'Upgrading pkg on root from 1 to 2...', expect.stringContaining('Existing conffile /etc/config/pkg is different'), 'Configuring pkg.', 'own 1', 'still off', 'running',
      'Removing package pkg from root...', 'Not deleting modified conffile /etc/config/pkg.', '0', '0', '', "config pkg 'main'", "\toption done '0'", '',
    ])
  })

  it('on a full disk is refused, or left half-installed and finished when there is room', () => {
    makePackage(`${guest.root}/root`, { name: 'big', version: '1', installedSize: 400_000, files: { '/usr/share/big': 'x'.repeat(300_000) } })
    const lines = said(`mkdir -p /mnt; mount -t tmpfs -o size=128k tmpfs /mnt; mkdir -p /mnt/etc; cp -r /etc/opkg.conf /mnt/etc 2> /dev/null
opkg -o /mnt -t /tmp install /root/big_1_all.ipk 2>&1; echo $?
opkg -o /mnt -t /tmp --force-space install /root/big_1_all.ipk > /tmp/said 2>&1; echo $?; grep -o 'Failed to extract.*debris may remain' /tmp/said; opkg -o /mnt -t /tmp status big | grep Status
mount -o remount,size=2m /mnt; opkg -o /mnt -t /tmp install /root/big_1_all.ipk; opkg -o /mnt -t /tmp status big | grep Status; wc -c < /mnt/usr/share/big`)
    expect(lines).toEqual([
      'Installing big (1) to root...', 'Collected errors:', expect.stringMatching(/^ \* Only have \d+kb available on filesystem \/mnt\/, pkg big needs 391$/), '255',
      '255', 'Failed to extract data files for big. Package debris may remain', 'Status: install user half-installed',
      'Installing big (1) to root...', 'Status: install user installed', '300000',
    ])
  })
})
