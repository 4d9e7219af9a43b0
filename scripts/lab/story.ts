/**
 * The first day of a box as one story, told step by step on the real thing: real DHCP, DNS, nftables, the
 * bundled service. Each ✔ is a claim that was checked; the first that is false ends the story.
 */
import type { Host, Town } from '../../test/support/netns.ts'
import { TOWN } from '../../test/support/netns.ts'
import { Phone } from '../../test/support/phone.ts'
import { CLI, dhcp, slaac, startService, waitFor, type BoxFiles, type Service } from '../../test/support/town-services.ts'
import type { SessionsJson, StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { withoutDays } from './book.ts'
import { headNumber, tellOfChain, type LabChain } from './chain.ts'
import type { LabOptions } from './options.ts'
import { claim, note, step } from './say.ts'
import type { StoryPlan } from './story-plan.ts'

/** Seconds of the package the story sells: long enough to be looked at, short enough to run out. */
export const STORY_SECONDS = 25
const SHOP = 'http://shop.example/'

export interface Box {
  readonly town: Town
  readonly files: BoxFiles
  readonly portal: string
  readonly chain: LabChain
  readonly options: LabOptions
  readonly plan: StoryPlan
  /** Joins and cuts the way out, and shows it. */
  readonly setUplink: (state: 'up' | 'down') => Promise<void>
  service: Service
  /** The boxes that came later: `hall`, `box2`. */
  readonly others: Map<string, OtherBox>
}

export interface OtherBox {
  readonly name: string
  readonly host: Host
  service: Service
}

export async function tellStory(box: Box): Promise<void> {
  const { town } = box
  const { her, him } = box.plan
  const [first, second] = town.guests
  if (!first || !second) throw new Error('the story needs two guests')
  const hers = new Phone(first)
  const his = new Phone(second)

  step('The owner prints vouchers')
  const made = await box.service.cliJson<VoucherCreateReply>('voucher', 'create', 'story', '3', '--codes')
  const [code = '', more = ''] = made.vouchers.map((voucher) => voucher.code)
  note(`meshbox voucher create story 3 --codes   →   ${made.vouchers.map((voucher) => voucher.code).join('   ')}`)
  claim('three codes with a check symbol', made.vouchers.length === 3 && /^[0-9A-Z]{5}-[0-9A-Z]{5}$/.test(code))

  step(`${her} joins the Wi-Fi`)
  const lease = await dhcp(first, box.files)
  const ip6 = await slaac(first)
  note(`DHCP gave ${lease.ip4}, the router advertisement ${ip6}`)
  claim('IPv4 and IPv6 addresses', lease.ip4.startsWith('10.77.0.') && ip6.startsWith('2001:db8:77:'))

  step('She is captured, and nothing passes unpaid')
  const captured = await hers.ask(SHOP, { family: 4 })
  claim(`any page leads to ours: 302 ${captured.headers['location'] ?? ''}`, captured.status === 302 && (captured.headers['location'] ?? '').startsWith(box.portal), `status ${captured.status}`)
  const captured6 = await hers.ask(SHOP, { family: 6 })
  claim('over IPv6 too', captured6.status === 302, `status ${captured6.status}`)
  const https = await hers.ask('https://shop.example/', { timeoutSeconds: 3 })
  claim('HTTPS is refused at once, not left to time out', https.code === 7, `curl exit ${https.code}`)
  claim('no ping passes, IPv4', !(await hers.isOnline(4, TOWN.internet4)))
  claim('no ping passes, IPv6', !(await hers.isOnline(6, TOWN.internet6)))

  step('She sees the prices and mistypes the code')
  const page = await hers.open(SHOP)
  claim(`the page is one request of ${(page.body.length / 1024).toFixed(1)} kB`, page.status === 200 && page.body.length <= 30_000, `status ${page.status}`)
  const wrong = await hers.submit(SHOP, '/redeem', { code: `${code.slice(0, 9)}${code.endsWith('0') ? '1' : '0'}` })
  claim(`a typing mistake is told from a wrong code (status ${wrong.status})`, wrong.status >= 400 && wrong.status < 500)

  step('She types it right')
  const started = performance.now()
  const paid = await hers.submit(SHOP, '/redeem', { code })
  claim(`accepted: ${paid.status} back to the page`, paid.status === 303, `status ${paid.status} ${paid.body.slice(0, 300)}`)
  claim('online, IPv4', await hers.isOnline(4, TOWN.internet4))
  note(`${(performance.now() - started).toFixed(0)} ms from pressing the button to two pings answered (two curl starts and 200 ms between the pings included)`)
  claim('online, IPv6', await hers.isOnline(6, TOWN.internet6))
  const surfed = await hers.ask(SHOP)
  claim('surfs: "Welcome to the Internet"', surfed.status === 200 && surfed.body.includes('Welcome to the Internet'), `status ${surfed.status}`)
  const home = await hers.open(box.portal)
  note(`her page says: ${text(home.body)}`)

  step(`${him} tries for free`)
  await dhcp(second, box.files)
  claim(`${him} has not paid and stays outside`, !(await his.isOnline(4, TOWN.internet4)))
  await second.ns.ip('addr', 'add', `${lease.ip4}/24`, 'dev', 'eth0')
  const stolen = await second.ns.run('ping', ['-4', '-c', '2', '-i', '0.2', '-W', '1', '-I', lease.ip4, TOWN.internet4])
  claim(`with ${her}'s IP address he stays outside as well`, stolen.code !== 0)
  await second.ns.ip('addr', 'del', `${lease.ip4}/24`, 'dev', 'eth0')

  step(`${her} pauses and goes on`)
  const paused = await hers.submit(box.portal, '/pause')
  claim('paused', paused.status === 303, `status ${paused.status}`)
  claim('nothing passes while paused', !(await hers.isOnline(4, TOWN.internet4)))
  const frozen = await secondsLeft(box)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  claim(`the clock stands still at ${frozen} s`, (await secondsLeft(box)) === frozen)
  const resumed = await hers.submit(box.portal, '/resume')
  claim('on again', resumed.status === 303 && (await hers.isOnline(4, TOWN.internet4)))

  step('Our service crashes (kill -9) and comes back')
  const headBefore = await headNumber(box.chain)
  await box.service.crash()
  claim(`${her} is still online: the kernel holds her lease`, await hers.isOnline(4, TOWN.internet4))
  box.service = await startService(town.box, box.files)
  claim('the session is back', (await openSessions(box)).length === 1)
  claim('and she never noticed', await hers.isOnline(4, TOWN.internet4))
  const headAfter = await headNumber(box.chain)
  claim(`no block is lost: ${headBefore} before, ${headAfter} now`, headAfter >= headBefore)

  step('Somebody flushes the firewall')
  await town.box.must('nft', 'flush', 'ruleset')
  await waitFor('the repair', async () => (await town.box.run('nft', ['list', 'table', 'inet', 'meshbox'])).code === 0, 3000)
  claim(`the table is back within a second or so, ${her} online, ${him} not`, (await waitFor(her, () => hers.isOnline(4, TOWN.internet4), 5000)) && !(await his.isOnline(4, TOWN.internet4)))

  step(`${her} buys more`)
  const before = await secondsLeft(box)
  const added = await hers.submit(`${box.portal}add`, '/redeem', { code: more })
  claim('a second voucher adds its time', added.status === 303 && (await secondsLeft(box)) > before, `status ${added.status}`)
  const used = await his.submit(SHOP, '/redeem', { code: 'AAAAA-AAAAA' })
  claim(`${him}'s invented code is refused (status ${used.status})`, used.status >= 400 && used.status < 500)

  step('The time runs out')
  const left = await secondsLeft(box)
  note(`${left} s left; waiting`)
  await waitFor('the end', async () => !(await first.ns.run('ping', ['-4', '-c', '1', '-W', '1', TOWN.internet4])).stdout.includes('1 received'), (left + 15) * 1000)
  claim('cut off by the kernel', !(await hers.isOnline(4, TOWN.internet4)) && !(await hers.isOnline(6, TOWN.internet6)))
  await waitFor('the session to be closed', async () => (await openSessions(box)).length === 0, 5000)
  const again = await hers.open(SHOP)
  claim('the next page is ours again and says why', again.status === 200)
  note(`her page says: ${text(again.body)}`)
  const receipt = await hers.ask(`${box.portal}receipt.txt`)
  const verified = await town.box.run('sh', ['-c', `${CLI} receipt verify -`], { input: receipt.body, env: { MESHBOX_NODE: process.execPath } })
  claim('her receipt verifies: meshbox receipt verify', verified.code === 0, verified.stderr || receipt.body.slice(0, 200))

  step('The community has a chain, and this box keeps it')
  await tellOfChain(box.chain, box.service, him)
  const reach = await hers.ask(box.chain.url, { timeoutSeconds: 3 })
  claim("from the guests' side nobody reaches it", reach.status === 0 || reach.status >= 300, `status ${reach.status}`)

  step('What the owner sees')
  const status = await box.service.cliJson<StatusJson>('status')
  note(withoutDays((await box.service.cli('earnings')).stdout))
  claim(`gate ${status.gate.state}, repaired ${status.gate.repairs} time(s)`, status.gate.state === 'ready')
  note(`service memory: ${(status.facts.memory.rssBytes / 1048576).toFixed(0)} MiB, of it ${((status.facts.memory.rssAnonBytes ?? 0) / 1048576).toFixed(0)} MiB its own`)
}

async function openSessions(box: Box): Promise<SessionsJson['sessions']> {
  return (await box.service.cliJson<SessionsJson>('sessions', 'list')).sessions.filter((session) => session.state !== 'ended')
}

async function secondsLeft(box: Box): Promise<number> {
  return (await openSessions(box))[0]?.secondsLeft ?? 0
}

/** What a person reads on a page, short. */
function text(html: string): string {
  const body = html.replace(/<(style|script|head|details)\b.*?<\/\1>/gs, ' ').replace(/<[^>]+>/g, ' ')
  return body.replace(/&[a-z#0-9]+;/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 220)
}
