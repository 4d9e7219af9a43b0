/** The limits of docs/security.md are the numbers of the code: each row has the places in the code that hold it, and both say the same. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const part = readFileSync(join(ROOT, 'docs/security.md'), 'utf8').split('\n## Limits\n')[1]?.split('\n## ')[0] ?? ''
const ROWS = new Map([...part.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, what = '', bound = '', where = '']) => [what, { bound, where }]))
for (const head of ['what', '---']) ROWS.delete(head)

/** By row: what the page says of it, the file below src/, and the line there. */
const HELD: Readonly<Record<string, readonly (readonly [said: string, file: string, line: string])[]>> = {
  'guest page: connections': [
    ['24 an address', 'hotspot/portal/io/listener.ts', 'const MAX_CONNECTIONS_PER_ADDRESS = 24'],
    ['2048', 'hotspot/portal/io/listener.ts', 'const MAX_CONNECTIONS = 2048'],
    ['100 requests each', 'hotspot/portal/io/listener.ts', 'const MAX_REQUESTS_PER_CONNECTION = 100'],
    ['idle 15 s', 'hotspot/portal/io/listener.ts', 'const IDLE_SOCKET_MS = 15_000'],
  ],
  requests: [
    ['120 and 20/s an address', 'hotspot/portal/reception.ts', 'const PER_ADDRESS = { burst: 120, perSecond: 20 }'],
    ['200 and 30/s a device', 'hotspot/portal/reception.ts', 'const PER_DEVICE = { burst: 200, perSecond: 30 }'],
    ['1500 and 600/s in all', 'hotspot/portal/reception.ts', 'const OVERALL = { burst: 1500, perSecond: 600 }'],
    ['forms 12 and 1/s', 'hotspot/portal/reception.ts', 'const FORMS_PER_DEVICE = { burst: 12, perSecond: 1 }'],
  ],
  'headers, URL, form, `/rpc`, stream message': [
    ['8 KiB in 64 headers', 'hotspot/portal/io/listener.ts', 'const MAX_HEADER_BYTES = 8192\nconst MAX_HEADERS = 64'],
    ['2048', 'hotspot/portal/reception.ts', 'MAX_URL_LENGTH = 2048'],
    ['4 KiB', 'hotspot/portal/form.ts', 'MAX_FORM_BYTES = 4096'],
    ['64 KiB', 'hotspot/portal/guest-rpc.ts', 'MAX_RPC_BYTES = 64 * 1024'],
    ['16 KiB', 'hotspot/portal/stream-desk.ts', 'MAX_STREAM_BYTES = 16_384'],
  ],
  'time for headers, request': [
    ['5 s', 'hotspot/portal/io/listener.ts', 'const HEADERS_TIMEOUT_MS = 5_000'],
    ['10 s', 'hotspot/portal/io/listener.ts', 'const REQUEST_TIMEOUT_MS = 10_000'],
  ],
  WebSockets: [
    ['3 a device', 'hotspot/portal/io/stream-sockets.ts', 'const MAX_PER_DEVICE = 3'],
    ['1024', 'hotspot/portal/io/stream-sockets.ts', 'const MAX_SOCKETS = 1024'],
    ['64 KiB unsent', 'hotspot/portal/io/stream-sockets.ts', 'const MAX_UNSENT_BYTES = 65_536'],
    ['60 s silent', 'hotspot/portal/io/stream-sockets.ts', 'const MAX_SILENT_BEATS = 3'],
    ['60 s silent', 'hotspot/portal/io/stream-sockets.ts', 'const BEAT_MS = 20_000'],
    ['a message in 16 parts', 'base/websocket.ts', 'const MAX_PARTS = 16'],
  ],
  'stream messages': [
    ['60 and 5/s a device', 'hotspot/portal/stream-desk.ts', 'const MESSAGES = { burst: 60, perSecond: 5 }'],
    ['48 KiB and 6 KiB/s', 'hotspot/portal/stream-desk.ts', 'const KIBIBYTES = { burst: 48, perSecond: 6 }'],
    ['512 mailboxes', 'hotspot/portal/stream-desk.ts', 'const MAX_MAILBOXES = 512'],
  ],
  'wrong stream signatures': [['60 and 6/s in all', 'main/guest-streams.ts', 'const WRONG_SIGNATURES = { burst: 60, perSecond: 6 }']],
  'signatures of guests\' keys': [
    ['5 and one in 10 s a device', 'hotspot/wallet/wallet-check.ts', 'SIGNATURES_PER_DEVICE = { burst: 5, perSecond: 0.1 }'],
    ['20 and 2/s in all', 'hotspot/wallet/wallet-check.ts', 'SIGNATURES_OVERALL = { burst: 20, perSecond: 2 }'],
  ],
  'voucher guesses': [
    ['`guess_burst`', 'hotspot/guess-limits.ts', 'burst: hotspot.guessBurst, perSecond: 1 / hotspot.guessSeconds'],
    ['300 and 5/s in all', 'hotspot/guess-limits.ts', 'OVERALL_GUESSES = { burst: 300, perSecond: 5 }'],
    ['typos 30 and 1/s', 'hotspot/guess-limits.ts', 'TYPOS = { burst: 30, perSecond: 1 }'],
  ],
  "guests' orders to channels": [
    ['6 and one in 20 s a device', 'main/guest-orders.ts', 'const ORDERS = { burst: 6, perSecond: 0.05 }'],
    ['20 and 0.5/s in all', 'main/guest-orders.ts', 'const ALL_ORDERS = { burst: 20, perSecond: 0.5 }'],
    ['looks 20 and 0.25/s', 'main/guest-orders.ts', 'const LOOKS = { burst: 20, perSecond: 0.25 }'],
    ['60 and 2/s', 'main/guest-orders.ts', 'const ALL_LOOKS = { burst: 60, perSecond: 2 }'],
  ],
  "owner's doors: body, headers, parameter": [
    ['64 KiB', 'owner/io/http-server.ts', 'const BODY_LIMIT = 64 * 1024'],
    ['8 KiB', 'owner/io/http-server.ts', 'const MAX_HEADER_BYTES = 8 * 1024'],
    ['128', 'owner/io/http-server.ts', 'const MAX_PARAM_CHARS = 128'],
  ],
  'connections, request': [
    ['16 an address', 'owner/io/owner-server.ts', 'const MAX_CONNECTIONS_PER_ADDRESS = 16'],
    ['64', 'owner/io/owner-server.ts', 'const MAX_CONNECTIONS = 64'],
    ['control socket 16', 'owner/io/control-server.ts', 'const MAX_CONNECTIONS = 16'],
    ['15 s', 'owner/io/http-server.ts', 'const REQUEST_TIMEOUT_MS = 15_000'],
  ],
  'logins open, idle, oldest': [
    ['16', 'owner/logins.ts', 'MAX_LOGINS = 16'],
    ['`session_minutes`', 'owner/owner.ts', 'sessionMinutes'],
    ['a week', 'owner/logins.ts', 'const MAX_AGE_MS = 7 * 24 * 3600_000'],
  ],
  passwords: [
    ['3 free, then 2–900 s an address', 'owner/login-throttle.ts', 'PER_ADDRESS: BrakeRule = { free: 3, firstSeconds: 2, maxSeconds: 900 }'],
    ['30 free, then 1–15 s in all', 'owner/login-throttle.ts', 'OVERALL: BrakeRule = { free: 30, firstSeconds: 1, maxSeconds: 15 }'],
    ['2 at once', 'owner/login-throttle.ts', 'const MAX_AT_ONCE = 2'],
  ],
  'ubus arguments, answer': [
    ['4 KiB', '../openwrt-feed/meshbox/files/usr/libexec/rpcd/meshbox', 'MAX_BYTES = 4096'],
    ['256 KiB', '../openwrt-feed/meshbox/files/usr/libexec/rpcd/meshbox', 'MAX_ANSWER_BYTES=262144'],
    ['8 s', '../openwrt-feed/meshbox/files/usr/libexec/rpcd/meshbox', 'ANSWER_SECONDS=8'],
  ],
  'JSON-RPC': [
    ['batch 100, 512 KiB in, 4 MiB out', 'spectrum/rpc/policy.ts', 'maxBatch: 100,\n  maxBodyBytes: 512 * KIB,\n  maxResponseBytes: 4 * KIB * KIB,'],
    ['32 connections a caller', 'spectrum/rpc/io/rpc-server.ts', 'const MAX_CONNECTIONS_PER_CALLER = 32'],
    ['128', 'spectrum/rpc/io/rpc-server.ts', 'const MAX_CONNECTIONS = 128'],
    ['guests 10, 64 KiB, 256 KiB', 'spectrum/rpc/policy.ts', 'maxBatch: 10,\n  maxBodyBytes: 64 * KIB,\n  maxResponseBytes: 256 * KIB,'],
  ],
  'chain peers': [
    ['`max_peers`, 8', 'config/chain-schema.ts', "maxPeers: option(wholeNumber(1, 50, 'nodes'), 8, '8'"],
    ['32 calls at once then 1/s an address', 'spectrum/source/limits.ts', 'ACCEPTED_CONNECTIONS = { burst: 32, perSecond: 1 }'],
    ['24 MiB of large messages together', 'spectrum/source/limits.ts', 'RECEIVE_BUDGET_BYTES = 24 * 1024 * 1024'],
  ],
  'join file, checkpoint': [
    ['1 MiB on the mesh', 'mesh/joining/chain-file.ts', 'MAX_CHAIN_FILE_BYTES = 1 << 20'],
    ['64 KiB', 'main/chain.ts', 'MAX_CHECKPOINT_FILE_BYTES = 64 * 1024'],
  ],
  'boxes connected': [
    ['50', 'mesh/peers/parts.ts', 'DEFAULT_MAX_PEERS = 50'],
    ['16 of the Internet', 'main/mesh-settings.ts', 'maxInternetPeers: Math.min(16, mesh.maxPeers)'],
    ['32 strangers', 'mesh/peers/node.ts', 'MAX_STRANGERS = 32'],
    ['4 of a host', 'mesh/peers/node.ts', 'MAX_STRANGERS_OF_HOST = 4'],
  ],
  'boxes among the guests': [
    ['16', 'main/guest-boxes.ts', 'const MAX_BOXES = 16'],
    ['2 of an address', 'main/guest-boxes.ts', 'const MAX_OF_DEVICE = 2'],
    ['6 strangers that stay', 'main/guest-boxes.ts', 'const MAX_STRANGERS = 6'],
    ['others for 5 s', 'main/guest-boxes.ts', 'const LINGER_MS = 5_000'],
    ['200 questions and 20/s', 'spectrum/source/limits.ts', 'GUEST_QUESTIONS = { burst: 200, perSecond: 20 }'],
    ['2 answers made at once', 'spectrum/source/limits.ts', 'MAX_GUEST_ANSWERS = 2'],
    ['2 MiB and 128 KiB/s', 'spectrum/source/limits.ts', 'GUEST_BYTES = { burst: 2 * 1024 * 1024, perSecond: 128 * 1024 }'],
    ['4 MiB and 256 KiB/s', 'spectrum/source/limits.ts', 'ALL_GUESTS_BYTES = { burst: 4 * 1024 * 1024, perSecond: 256 * 1024 }'],
    ['8 and one in 5 s', 'spectrum/source/limits.ts', 'OFFERED_TRANSACTIONS = { burst: 8, perSecond: 0.2 }'],
    ['32 and 1/s', 'spectrum/source/limits.ts', 'ALL_OFFERED_TRANSACTIONS = { burst: 32, perSecond: 1 }'],
  ],
  'transactions of neighbours, where a box keeps no state': [
    ['8 and one in 5 s each', 'spectrum/source/limits.ts', 'OFFERED_TRANSACTIONS = { burst: 8, perSecond: 0.2 }'],
    ['32 and 1/s in all', 'spectrum/source/limits.ts', 'ALL_OFFERED_TRANSACTIONS = { burst: 32, perSecond: 1 }'],
    ['64 wait', 'spectrum/seal/pool/limits.ts', 'LIGHT_POOL_LIMITS: PoolLimits = { ...DEFAULT_POOL_LIMITS, peerTransactions: 64 }'],
  ],
  'bytes kept for boxes': [
    ['12 MiB to be sent', 'mesh/peers/node.ts', 'MAX_WRITTEN_BYTES = 12 * 1024 * 1024'],
    ['8 MiB held', 'mesh/peers/node.ts', 'MAX_HELD_BYTES = 8 * 1024 * 1024'],
  ],
  beacons: [
    ['3 and one in 2 s a place', 'mesh/peers/beacon-station.ts', 'PLACE_RULE = { burst: 3, perSecond: 0.5 }'],
    ['60 and 30/s of signatures', 'mesh/peers/beacon-station.ts', 'ALL_RULE = { burst: 60, perSecond: 30 }'],
    ['128 places', 'mesh/peers/beacon-station.ts', 'MAX_PLACES = 128'],
  ],
  'papers, members': [
    ['4 frames/s', 'mesh/joining/join-frames.ts', 'maxFramesPerSecond: 4,'],
    ['256 waiting', 'mesh/joining/community.ts', 'MAX_WAITING_INPUTS = 256'],
    ['512 members', 'mesh/joining/members.ts', 'MAX_KNOWN = 512'],
    ['96 expelled', 'mesh/joining/papers.ts', 'MAX_EXPELLED = 96'],
  ],
  "channels' frames": [
    ['1200 bytes', 'photon/node/framing.ts', 'MAX_FRAME_BYTES = 1200'],
    ['512 waiting of a peer', 'photon/node/inbox.ts', 'MAX_WAITING_FRAMES = 4 * MAX_GROUP'],
    ['512 waiting of a peer', 'photon/node/inbox.ts', 'MAX_GROUP = 128'],
    ['2 MiB unsent', 'photon/node/io/peer-links.ts', 'MAX_QUEUED_BYTES = 2 * 1024 * 1024'],
    ['4096 channels', 'photon/node/outside-channels.ts', 'MAX_CHANNELS = 4096'],
  ],
  'channels told by peers': [
    ['4 and one a minute of one', 'photon/box/chain-recovery.ts', 'const CLAIMS = { burst: 4, perSecond: 1 / 60 }'],
    ['32 and 1/s in all', 'photon/box/chain-recovery.ts', 'const ALL_CLAIMS = { burst: 32, perSecond: 1 }'],
  ],
  gossip: [
    ['600 and 8/s a neighbour', 'photon/route/gossip.ts', 'perNeighbour: { burst: 600, perSecond: 8 }'],
    ['2000 and 24/s in all', 'photon/route/gossip.ts', 'overall: { burst: 2000, perSecond: 24 }'],
    ['6 and one a minute an origin', 'photon/route/gossip.ts', 'perOrigin: { burst: 6, perSecond: 1 / 60 }'],
  ],
  'copies kept for owners': [
    ['10 and one a minute of one', 'photon/watch/keeper.ts', 'PER_OWNER = { burst: 10, perSecond: 1 / 60 }'],
    ['60 and 1 in 2 s in all', 'photon/watch/keeper.ts', 'OVERALL = { burst: 60, perSecond: 1 / 2 }'],
  ],
  'watch jobs': [
    ['30 and one in 3 s of one', 'photon/watch/watcher.ts', 'PER_DELEGATOR: BucketRule = { burst: 30, perSecond: 1 / 3 }'],
    ['200 and 10/s in all', 'photon/watch/watcher.ts', 'OVERALL: BucketRule = { burst: 200, perSecond: 10 }'],
    ['receipts 60 and 1/s of one', 'photon/watch/guardian.ts', 'RECEIPTS = { burst: 60, perSecond: 1 }'],
  ],
  'original Photon on the LAN': [
    ['256 and 128/s a host', 'photon/v1/lan-door.ts', 'PER_HOST = { burst: 256, perSecond: 128 }'],
    ['strangers 16 and 4/s', 'photon/v1/lan-door.ts', 'STRANGER = { burst: 16, perSecond: 4 }'],
    ['128 and 32/s together', 'photon/v1/lan-door.ts', 'STRANGERS = { burst: 128, perSecond: 32 }'],
  ],
  GWMP: [
    ['512 datagrams, 4 MiB waiting', 'iot/radio/gwmp/gwmp-desk.ts', 'const MAX_WAITING = 512\nconst MAX_WAITING_BYTES = 4 * 1024 * 1024'],
    ['256 gateways', 'iot/radio/gwmp/paths.ts', 'MAX_GATEWAYS = 256'],
    ['64 of a host', 'iot/radio/gwmp/paths.ts', 'MAX_GATEWAYS_PER_HOST = 64'],
    ['255 packets each', 'iot/radio/gwmp/push-data.ts', 'MAX_PACKETS = 255'],
    ['1000 and 512 KiB a second of a host', 'iot/radio/gwmp/source-budget.ts', 'PER_HOST: Rule = { datagrams: 1_000, bytes: 512 * 1024 }'],
    ['2000 and 1 MiB of hosts with a gateway', 'iot/radio/gwmp/source-budget.ts', 'OF_GATEWAYS: Rule = { datagrams: 2_000, bytes: 1024 * 1024 }'],
    ['500 and 256 KiB of all others', 'iot/radio/gwmp/source-budget.ts', 'OF_STRANGERS: Rule = { datagrams: 500, bytes: 256 * 1024 }'],
  ],
  'Basics Station': [
    ['320 connections', 'iot/radio/io/station-server.ts', 'MAX_CONNECTIONS = 320'],
    ["40 of a host besides its gateways'", 'iot/radio/io/station-server.ts', 'MAX_STRANGERS_OF_HOST = 40'],
    ['256 gateways', 'iot/radio/gwmp/paths.ts', 'MAX_GATEWAYS = 256'],
    ['text 16 KiB', 'iot/radio/io/text-socket.ts', 'MAX_TEXT_BYTES = 16_384'],
    ['2000 and 1000/s', 'iot/radio/io/station-server.ts', 'TEXTS = { burst: 2_000, perSecond: 1_000 }'],
    ['requests 20 and 2/s a host', 'iot/radio/io/station-server.ts', 'REQUESTS = { burst: 20, perSecond: 2 }'],
  ],
  'servers for Basics Station northbound': [
    ['64 gateways each', 'iot/radio/northbound/station/upstream.ts', 'MAX_LINKS = 64'],
    ['text 32 KiB', 'iot/radio/io/text-client.ts', 'MAX_TEXT_BYTES = 32_768'],
    ['300 and 100/s words', 'iot/radio/northbound/station/link.ts', 'WORDS = { burst: 300, perSecond: 100 }'],
    ['256 frames', 'iot/radio/northbound/station/link.ts', 'MAX_PENDING = 256'],
    ['128 orders waiting', 'iot/radio/northbound/station/link.ts', 'MAX_ORDERS = 128'],
    ['256 KiB unsent', 'iot/radio/io/text-client.ts', 'MAX_UNSENT_BYTES = 262_144'],
    ['5 s for a pong', 'iot/radio/northbound/station/link.ts', 'ANSWER_MS = 5_000'],
    ['20 s to open', 'iot/radio/northbound/station/link.ts', 'OPENING_MS = 20_000'],
    ['3 beats of 30 s silent', 'iot/radio/northbound/station/link.ts', 'BEAT_MS = 30_000'],
    ['3 beats of 30 s silent', 'iot/radio/northbound/station/link.ts', 'MAX_SILENT_BEATS = 3'],
  ],
  'MIC codes tried, keys': [
    ['64 a frame', 'iot/tenants/mic-check.ts', 'MAX_MIC_TRIES = 64'],
    ['32 an address', 'iot/tenants/mic-check.ts', 'MAX_KEYS_PER_ADDRESS = 32'],
    ['10,000 a tenant', 'iot/tenants/mic-check.ts', 'MAX_KEYS_PER_TENANT = 10_000'],
  ],
  broker: [
    ['64 tenants × 8 gateways, and 64', 'iot/mqtt/mosquitto/configuration.ts', 'MAX_BROKER_TENANTS = 64'],
    ['64 tenants × 8 gateways, and 64', 'iot/mqtt/mosquitto/configuration.ts', 'MAX_BROKER_GATEWAYS = 8'],
    ['64 tenants × 8 gateways, and 64', 'iot/mqtt/mosquitto/configuration.ts', 'OTHER_CLIENTS = 64'],
    ['from outside 256 and 32', 'iot/mqtt/mosquitto/configuration.ts', 'MAX_USERS = 256'],
    ['from outside 256 and 32', 'iot/mqtt/mosquitto/configuration.ts', 'MAX_OUTWARD_CLIENTS = MAX_USERS + 32'],
    ['packet 65 KiB', 'iot/mqtt/mosquitto/configuration.ts', 'max_packet_size ${MAX_BROKER_PACKET_BYTES + 1_024}'],
    ['packet 65 KiB', 'iot/mqtt/mosquitto/configuration.ts', 'MAX_BROKER_PACKET_BYTES = 64 * 1024'],
    ['queue 1000 and 1 MiB a client', 'iot/mqtt/mosquitto/configuration.ts', "'max_queued_messages 1000',\n    'max_queued_bytes 1048576',"],
    ['32 MiB in all', 'iot/mqtt/mosquitto/configuration.ts', "'memory_limit 33554432'"],
  ],
  codec: [
    ['50 ms', 'iot/codecs/io/codec-process.ts', 'this.#options.limitMs ?? 50'],
    ['96 MiB of data', 'iot/codecs/io/codec-process.ts', 'maxDataMib = 96'],
    ['64 waiting', 'iot/codecs/io/codec-process.ts', 'MAX_WAITING = 64'],
    ['answer 32 KiB', 'iot/codecs/io/sandbox-text.ts', 'MAX_RESULT_LENGTH = 32 * 1024'],
  ],
  'late frames': [['16 MiB', 'config/iot-schema.ts', 'lateKib: option(wholeNumber(0, 16_384,']],
}

it('has a row for each bound that is looked at here, and no other', () => {
  expect([...ROWS.keys()].sort()).toEqual(Object.keys(HELD).sort())
})

it.each(Object.entries(HELD))('%s: the page says what the code holds', (what, places) => {
  const { bound, where } = ROWS.get(what) ?? { bound: '', where: '' }
  for (const [said, file, line] of places) {
    expect(bound).toContain(said)
    expect(readFileSync(join(ROOT, 'src', file), 'utf8'), `${file}: ${said}`).toContain(line)
  }
  // A number that nobody holds is a wish.
  const rest = places.map(([said]) => said).sort((a, b) => b.length - a.length).reduce((text, said) => text.replace(said, ''), bound)
  expect(rest.match(/\d+/g) ?? [], `${what}: ${bound}`).toEqual([])
  const files = [...where.matchAll(/`([\w./-]+)`/g)].map(([, path = '']) => path)
  const near = dirname(files[0] ?? '')
  expect(files.filter((path) => !existsSync(join(ROOT, 'src', path)) && !existsSync(join(ROOT, 'src', near, path)))).toEqual([])
})
