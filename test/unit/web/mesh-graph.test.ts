/** Where boxes lie on the mesh's map: the same mesh gives the same picture, all of it within its frame, links where batman-adv says. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MeshNodeJson, MeshViewJson } from '../../../src/owner/api.ts'
import { keyOf, meshGraph, numbered, qualityOf } from '../../../src/web/owner/views/mesh-graph.ts'
import { meshPages } from '../../support/mesh-pages.ts'
import { MESH_SELF, ROOF, box, mac } from '../../support/mesh-views.ts'

const pages = await meshPages()
function page(name: string): MeshViewJson {
  const { view } = pages[name] ?? {}
  if (view === undefined) throw new Error(`no sample ${name}`)
  return view
}

const place = (view: MeshViewJson, originator: string, width = 600) => meshGraph(view, width).places.find(({ node }) => node.originator === originator)

describe("the mesh's map", () => {
  it('puts this box in the middle, neighbours around it and others behind the neighbour that leads to them', () => {
    const graph = meshGraph(page('busy'), 600)
    const [self] = graph.places
    expect(self).toMatchObject({ ring: 0, number: 0, key: MESH_SELF, x: 300 })
    expect(place(page('busy'), mac(2))).toMatchObject({ ring: 1, key: ROOF })
    expect(place(page('busy'), mac(4))).toMatchObject({ ring: 2 })
    const [bakery, school] = [place(page('busy'), mac(3)), place(page('busy'), mac(4))]
    expect(graph.edges).toContainEqual(expect.objectContaining({ from: { x: bakery?.x, y: bakery?.y }, to: { x: school?.x, y: school?.y }, quality: 60 / 255, isGone: false }))
    // On the same side of this box, farther away.
    expect(Math.sign((school?.x ?? 0) - 300)).toBe(Math.sign((bakery?.x ?? 0) - 300))
    expect(Math.abs((school?.x ?? 0) - 300)).toBeGreaterThan(Math.abs((bakery?.x ?? 0) - 300))
  })

  it('shows who has a way out, which one is used, and whose money goes where', () => {
    const graph = meshGraph(page('busy'), 600)
    const roof = place(page('busy'), mac(2))
    expect(graph.internet.lines).toEqual([{ from: { x: roof?.x, y: roof?.y }, bend: expect.anything(), isUsed: true }])
    expect(graph.edges.filter(({ isWayOut }) => isWayOut)).toEqual([expect.objectContaining({ to: { x: roof?.x, y: roof?.y } })])
    expect(graph.pays.map(({ state }) => state)).toEqual(['in-debt', 'running', 'ended'])
    // From the client to the carrier: this box pays the roof on its right.
    expect(Math.abs(graph.pays[1]?.angle ?? 180)).toBeLessThan(90)
    expect(meshGraph(page('nobody'), 600).internet.lines).toMatchObject([{ from: { x: 300 }, bend: { x: 300 }, isUsed: true }])
    expect(meshGraph(page('gateway-lost'), 600).internet.lines).toEqual([])
  })

  it('leads no other box to the Internet through this one', () => {
    for (const name of ['one', 'twenty', 'busy']) {
      const graph = meshGraph(page(name), 350)
      const [self] = graph.places
      for (const { from, bend } of graph.internet.lines)
        for (let step = 0; step <= 20; step++) {
          const [t, u] = [step / 20, 1 - step / 20]
          const x = u * u * from.x + 2 * u * t * bend.x + t * t * graph.internet.at.x
          const y = u * u * from.y + 2 * u * t * bend.y + t * t * graph.internet.at.y
          expect(Math.hypot(x - (self?.x ?? 0), y - (self?.y ?? 0))).toBeGreaterThan(graph.radius)
        }
    }
  })

  it('keeps who left where he was last', () => {
    expect(place(page('partition'), mac(4))).toMatchObject({ ring: 2, x: place(page('busy'), mac(4))?.x, y: place(page('busy'), mac(4))?.y })
    expect(meshGraph(page('partition'), 600).edges.filter(({ isGone }) => isGone)).toHaveLength(2)
    expect(numbered(page('partition').map.nodes).map(({ isGone }) => isGone)).toEqual([false, false, false, true, true])
  })

  it('is the same in whatever order the answer comes', () => {
    for (const name of ['busy', 'twenty', 'partition']) {
      const view = page(name)
      fc.assert(
        fc.property(fc.shuffledSubarray([...view.map.nodes], { minLength: view.map.nodes.length }), fc.shuffledSubarray([...view.map.links], { minLength: view.map.links.length }), (nodes, links) => {
          expect(meshGraph({ ...view, map: { ...view.map, nodes, links } }, 600)).toEqual(meshGraph(view, 600))
        }),
        { seed: 11, numRuns: 40 },
      )
    }
  })

  it('draws each node once and inside the frame, whatever batman-adv says of ways', () => {
    const view = page('one')
    const [self] = view.map.nodes
    const node = (number: number, isGone: boolean): MeshNodeJson => ({ originator: mac(number), box: number % 3 === 0 ? null : box(number), name: null, standing: null, isSelf: false, isGone, forSeconds: 1, isGateway: number % 5 === 0, gateway: null, isNeighbour: false, isConnected: false, price: null, hops: null })
    const ways = fc.uniqueArray(fc.record({ number: fc.integer({ min: 2, max: 120 }), via: fc.integer({ min: 1, max: 125 }), isGone: fc.boolean(), tq: fc.option(fc.integer({ min: 0, max: 255 })) }), { selector: ({ number }) => number, maxLength: 100 })
    fc.assert(
      fc.property(ways, fc.integer({ min: 240, max: 860 }), (drawn, width) => {
        const links = drawn.map(({ number, via, tq, isGone }) => ({ to: mac(number), via: mac(via), tq, throughputKbit: null, isGone }))
        const nodes = [...(self === undefined ? [] : [self]), ...drawn.map(({ number, isGone }) => node(number, isGone))]
        const graph = meshGraph({ ...view, map: { ...view.map, nodes, links } }, width)
        expect(graph.places.map(({ key }) => key).sort()).toEqual(nodes.map(keyOf).sort())
        expect(graph.edges).toHaveLength(drawn.length)
        for (const { x, y } of graph.places) {
          expect(x - graph.radius).toBeGreaterThanOrEqual(0)
          expect(x + graph.radius).toBeLessThanOrEqual(graph.width)
          expect(y - graph.radius).toBeGreaterThanOrEqual(0)
          expect(y + graph.radius).toBeLessThanOrEqual(graph.height)
        }
      }),
      { seed: 12, numRuns: 200 },
    )
  })

  it('knows how good a link is from either algorithm', () => {
    expect([qualityOf({ tq: 255, throughputKbit: null }), qualityOf({ tq: 51, throughputKbit: null }), qualityOf({ tq: null, throughputKbit: 50_000 }), qualityOf({ tq: null, throughputKbit: 900_000 }), qualityOf({ tq: null, throughputKbit: null })]).toEqual([1, 0.2, 0.5, 1, null])
  })
})
