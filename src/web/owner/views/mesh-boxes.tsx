/** Every box of the mesh in words: what the map shows and what it cannot. The numbers are the map's. */
import type { MeshNodeJson, MeshViewJson } from '../../../owner/api.ts'
import { showDuration } from '../format.ts'
import { hrefOf } from '../router.ts'
import { Hidden } from '../ui/notice.tsx'
import { keyOf, numbered, qualityOf } from './mesh-graph.ts'
import { nameOf, priceText } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

export function BoxTable({ view }: { view: MeshViewJson }) {
  const { map, status, peers } = view
  const isPaid = status.token !== null
  const banned = new Set(peers.flatMap(({ box, ban }) => (ban === null ? [] : [box])))
  return (
    <div class="mesh-boxes">
      <table class="table">
        <caption class="hidden-text">{S.boxes}</caption>
        <thead>
          <tr>
            <th scope="col" class="mesh-no">
              {S.columns.number}
            </th>
            <th scope="col">{S.columns.box}</th>
            <th scope="col">{S.columns.link}</th>
            {isPaid && (
              <th scope="col" class="right mesh-wide">
                {S.columns.price}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {numbered(map.nodes).map((node, number) =>
            node.isSelf ? null : (
              <tr key={keyOf(node)}>
                <td class="mesh-no num">{number}</td>
                <th scope="row">
                  <a href={hrefOf('mesh', `box-${keyOf(node)}`)}>
                    <bdi>{nameOf(node)}</bdi>
                  </a>
                  <Facts node={node} isBanned={node.box !== null && banned.has(node.box)} />
                </th>
                <td>
                  <span class={node.isGone ? 'warn-text' : undefined}>{linkText(view, node)}</span>
                  {priceText(node.price, status.token) !== null && <span class="mesh-narrow tiny num">{S.perMib(priceText(node.price, status.token) ?? '')}</span>}
                  {!node.isGone && node.forSeconds !== null && <span class="block tiny quiet num">{S.hereFor(showDuration(node.forSeconds))}</span>}
                </td>
                {isPaid && <td class="right num nowrap mesh-wide">{priceText(node.price, status.token) ?? <NoPrice />}</td>}
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  )
}

function NoPrice() {
  return (
    <>
      <span aria-hidden="true">{S.noPrice}</span>
      <Hidden>{S.ownPriceNone}</Hidden>
    </>
  )
}

function Facts({ node, isBanned }: { node: MeshNodeJson; isBanned: boolean }) {
  const { standing, isConnected, isGateway, gateway, isGone } = node
  const calm = [
    isGateway && !isGone ? (gateway === null ? S.gateway : S.gatewayOf(S.speed(gateway.downKbit))) : null,
    standing === 'admitted' || standing === 'provisional' ? S.standings[standing] : null,
    !isGone && !isConnected ? S.silent : null,
  ].filter((part) => part !== null)
  const loud = [standing === 'stranger' || standing === 'expelled' ? S.standings[standing] : null, isBanned ? S.banned : null].filter((part) => part !== null)
  return (
    <>
      {loud.length > 0 && <span class="block tiny warn-text">{loud.join(', ')}</span>}
      {calm.length > 0 && <span class="block tiny quiet">{calm.join(', ')}</span>}
    </>
  )
}

/** "98 %, through roof two", "gone for 2 h". */
export function linkText({ map }: Pick<MeshViewJson, 'map'>, node: MeshNodeJson): string {
  if (node.isGone) return node.forSeconds === null ? S.gone : S.goneFor(showDuration(node.forSeconds))
  const link = map.links.find(({ to }) => to === node.originator)
  if (link === undefined) return node.isConnected ? S.overInternet : S.linkUnknown
  const quality = qualityOf(link)
  const words = link.throughputKbit !== null ? S.speed(link.throughputKbit) : quality === null ? S.linkUnknown : S.percent(quality)
  if (link.via === link.to) return S.linkDirect(words)
  const via = map.nodes.find(({ originator }) => originator === link.via)
  return S.linkVia(words, via === undefined ? link.via : nameOf(via))
}
