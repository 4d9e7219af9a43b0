/**
 * A QR code as the outline of its dark areas, for one SVG path with fill-rule evenodd. Adjacent modules
 * share no edge in it, so that no hairline shows between them however a PDF viewer smooths edges, and
 * it is a quarter of the size of one square per module.
 */
import encodeQR from 'qr'

export interface QrOutline {
  /** Modules a side, without a quiet zone. */
  readonly modules: number
  /** SVG path data, one unit a module. */
  readonly path: string
}

/** Medium error correction (15 %): a printed code survives a fold or a coffee stain. */
export function qrOutline(text: string): QrOutline {
  const grid = encodeQR(text, 'raw', { ecc: 'medium', border: 1 })
  const modules = grid.length - 2
  const isDark = (x: number, y: number): boolean => grid[y + 1]?.[x + 1] === true
  return { modules, path: tracePath(modules, isDark) }
}

type Direction = 0 | 1 | 2 | 3 // right, down, left, up
const STEP_X = [1, 0, -1, 0] as const
const STEP_Y = [0, 1, 0, -1] as const

/**
 * Walks every border with the dark side on the right, starting at each unvisited top edge. At a point
 * where two dark modules touch by a corner only, it turns right, so that they stay two shapes.
 */
function tracePath(modules: number, isDark: (x: number, y: number) => boolean): string {
  const visitedTopEdges = new Set<number>()
  let path = ''
  for (let startY = 0; startY < modules; startY++)
    for (let startX = 0; startX < modules; startX++) {
      if (!isDark(startX, startY) || isDark(startX, startY - 1) || visitedTopEdges.has(startY * modules + startX)) continue
      let x = startX
      let y = startY
      let direction: Direction = 0
      let run = 0
      path += `M${startX} ${startY}`
      do {
        if (direction === 0) visitedTopEdges.add(y * modules + x)
        x += STEP_X[direction]
        y += STEP_Y[direction]
        run++
        const next = turn(x, y, direction, isDark)
        if (next === direction) continue
        path += direction % 2 === 0 ? `h${STEP_X[direction] * run}` : `v${STEP_Y[direction] * run}`
        direction = next
        run = 0
      } while (x !== startX || y !== startY || direction !== 0)
      path += 'z'
    }
  return path
}

/** Where the border goes on from the corner (x, y), reached in `direction`. */
function turn(x: number, y: number, direction: Direction, isDark: (x: number, y: number) => boolean): Direction {
  const dark = [isDark(x, y - 1), isDark(x, y), isDark(x - 1, y), isDark(x - 1, y - 1)] as const // right-up, right-down, left-down, left-up
  const aheadRight = dark[((direction + 1) % 4) as Direction]
  const aheadLeft = dark[direction]
  if (!aheadRight) return ((direction + 1) % 4) as Direction
  return aheadLeft ? (((direction + 3) % 4) as Direction) : direction
}
