/**
 * GET /captive-portal/api, RFC 8908, and the same with a name for one device behind it. A device is told by
 * its link address; its own name is for hosts whose requests reach us from an address that is not in the
 * neighbour table yet (several IPv6 addresses, RFC 8908 section 3). A name of an earlier start says nothing
 * any more and is not an error: the lease that carried it may still be running.
 */
import { type Answer, jsonAnswer, redirectAnswer } from '../answer.ts'
import { type OpenGet, pageContext } from '../asked.ts'
import { capportState } from '../capport-api.ts'
import { wantsPageNotApi } from '../accept.ts'
import { link } from '../page/context.ts'

export const captivePortalApi: OpenGet = (asked, counter, name): Answer => {
  if (wantsPageNotApi(asked.accept)) return redirectAnswer(302, link(pageContext(asked, counter), '/'), { Vary: 'Accept' })
  const mac = (name === '' ? null : counter.seals.macOfApiName(name)) ?? asked.client?.mac ?? null
  const session = mac === null ? null : counter.desk.view(clientOf(asked.client, mac)).session
  return jsonAnswer(200, capportState(session, asked.tlsPortalUrl, counter.config.hotspot.venueUrl), {
    'Content-Type': 'application/captive+json',
    'Cache-Control': 'private, no-store',
    Vary: 'Accept',
  })
}

function clientOf(client: Parameters<OpenGet>[0]['client'], mac: string): NonNullable<Parameters<OpenGet>[0]['client']> {
  return client?.mac === mac ? client : { mac, ip: '', ip4: null }
}
