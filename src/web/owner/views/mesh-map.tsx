/** The mesh as a picture. It only decorates for whoever cannot see it: its label and the list below it say the same. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { MeshViewJson } from '../../../owner/api.ts'
import { go } from '../router.ts'
import { meshGraph } from './mesh-graph.ts'
import type { Edge, MeshGraph, Place } from './mesh-graph.ts'
import { nameOf } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

const FIRST_WIDTH = 340
const MOST_WIDTH = 860
const MOST_NAME = 14
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/
/** Below this share of what it could be a link is poor. */
const POOR = 0.4
const NET_WIDTH = 92
const NET_HEIGHT = 28

export function MeshMap({ view }: { view: MeshViewJson }) {
  const frame = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(FIRST_WIDTH)
  useLayoutEffect(() => {
    const { current } = frame
    if (current === null) return undefined
    const measure = (): void => setWidth(Math.max(240, Math.min(MOST_WIDTH, Math.floor(current.clientWidth - 20))))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(current)
    return () => observer.disconnect()
  }, [])
  const graph = meshGraph(view, width)
  const gone = view.map.nodes.filter(({ isGone }) => isGone).length
  return (
    <div class="mesh-map" ref={frame}>
      <svg role="img" aria-label={S.mapLabel(view.status.nodes, gone, S.reachTitle[view.status.reach])} width={graph.width} height={graph.height} viewBox={`0 0 ${graph.width} ${graph.height}`}>
        <Internet graph={graph} reach={view.status.reach} />
        {graph.edges.map((edge, index) => (
          <path key={index} class={edgeClass(edge)} style={{ strokeWidth: edge.isGone ? 2 : 1.5 + 3.5 * (edge.quality ?? 0.2) }} d={`M${edge.from.x} ${edge.from.y}L${edge.to.x} ${edge.to.y}`} />
        ))}
        {graph.pays.map((pay, index) => (
          <path key={index} class={`mesh-pay${pay.state === 'running' || pay.state === 'offered' ? '' : ' mesh-pay-bad'}`} d="M-8 -7L9 0L-8 7Z" transform={`translate(${pay.x} ${pay.y}) rotate(${pay.angle})`} />
        ))}
        {graph.places.map((place) => (
          <Node key={place.key} place={place} graph={graph} />
        ))}
      </svg>
    </div>
  )
}

function Internet({ graph, reach }: { graph: MeshGraph; reach: MeshViewJson['status']['reach'] }) {
  const { at, lines } = graph.internet
  return (
    <g class={`mesh-net mesh-net-${reach}`}>
      {lines.map(({ from, bend, isUsed }, index) => (
        <path key={index} class={`mesh-link ${isUsed ? 'mesh-link-out' : 'mesh-link-net'}`} style={{ strokeWidth: isUsed ? 4 : 1.5 }} d={`M${from.x} ${from.y}Q${bend.x} ${bend.y} ${at.x} ${at.y + NET_HEIGHT / 2}`} />
      ))}
      <rect x={at.x - NET_WIDTH / 2} y={at.y - NET_HEIGHT / 2} width={NET_WIDTH} height={NET_HEIGHT} rx={NET_HEIGHT / 2} />
      <text x={at.x} y={at.y + 4.5} text-anchor="middle">
        {reach === 'none' ? S.reachTitle.none : S.internet}
      </text>
    </g>
  )
}

function Node({ place, graph }: { place: Place; graph: MeshGraph }) {
  const { node, x, y, number, ring } = place
  const { radius, hasNames } = graph
  const look = ring === 0 ? 'self' : node.isGone ? 'gone' : node.standing === 'expelled' ? 'expelled' : node.standing === 'admitted' || node.standing === 'provisional' ? 'member' : 'other'
  const name = ring === 0 ? S.thisBox : nameOf(node)
  return (
    <g class={`mesh-node mesh-node-${look}${ring === 0 ? '' : ' mesh-node-link'}`} onClick={ring === 0 ? undefined : () => go('mesh', `box-${place.key}`)}>
      <title>{name}</title>
      <circle cx={x} cy={y} r={radius} />
      {ring === 0 ? (
        <path class="mesh-home" transform={`translate(${x} ${y})`} d="M-8 0L0 -7L8 0M-5.5 -1.5V7H5.5V-1.5" />
      ) : (
        <text class="mesh-number" x={x} y={y + 4.5} text-anchor="middle">
          {number}
        </text>
      )}
      {node.isGateway && !node.isGone && ring !== 0 && <circle class="mesh-globe" cx={x + radius * 0.75} cy={y - radius * 0.75} r={6} />}
      {hasNames && (
        <text class="mesh-name" x={x} y={ring === 2 ? y - radius - 7 : y + radius + 16} text-anchor="middle">
          {shortName(name)}
        </text>
      )}
    </g>
  )
}

/** Nodes without a name are told apart by the end of their address. */
function shortName(name: string): string {
  if (MAC.test(name)) return `…${name.slice(-5)}`
  return name.length > MOST_NAME ? `${name.slice(0, MOST_NAME - 1)}…` : name
}

function edgeClass({ isGone, isWayOut, quality }: Edge): string {
  const look = isGone ? ' mesh-link-gone' : isWayOut ? ' mesh-link-out' : quality !== null && quality < POOR ? ' mesh-link-poor' : ''
  return `mesh-link${look}`
}

/** Only what this map shows. */
export function MapLegend({ view }: { view: MeshViewJson }) {
  const { links, payments, nodes } = view.map
  const has = (isPoor: boolean): boolean => links.some(({ tq, isGone }) => !isGone && tq !== null && tq / 255 < POOR === isPoor)
  const line = (look: string, width: number) => (
    <svg width="26" height="10" viewBox="0 0 26 10">
      <path class={`mesh-link ${look}`} style={{ strokeWidth: width }} d="M2 5H24" />
    </svg>
  )
  const arrow = (look: string) => (
    <svg width="18" height="14" viewBox="-9 -7 18 14">
      <path class={`mesh-pay ${look}`} d="M-8 -7L9 0L-8 7Z" />
    </svg>
  )
  return (
    <ul class="mesh-legend tiny" aria-hidden="true">
      {has(false) && (
        <li>
          {line('', 4)}
          {S.legendGood}
        </li>
      )}
      {has(true) && (
        <li>
          {line('mesh-link-poor', 2)}
          {S.legendPoor}
        </li>
      )}
      {view.status.reach !== 'none' && (
        <li>
          {line('mesh-link-out', 4)}
          {S.legendOut}
        </li>
      )}
      {nodes.some(({ isGateway, isGone, isSelf }) => isGateway && !isGone && !isSelf) && (
        <li>
          <svg width="14" height="14" viewBox="-7 -7 14 14">
            <circle class="mesh-globe" r="6" />
          </svg>
          {S.legendGateway}
        </li>
      )}
      {nodes.some(({ isGone }) => isGone) && (
        <li>
          {line('mesh-link-gone', 2)}
          {S.legendGone}
        </li>
      )}
      {payments.some(({ state }) => state === 'running' || state === 'offered') && (
        <li>
          {arrow('')}
          {S.legendPays}
        </li>
      )}
      {payments.some(({ state }) => state === 'in-debt') && (
        <li>
          {arrow('mesh-pay-bad')}
          {S.legendOwes}
        </li>
      )}
    </ul>
  )
}
