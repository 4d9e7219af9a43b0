/* Where things stand on the town's map: wide screens and phones, the whole town or the two boxes of who is not root. No page is needed to ask. */
const WIDE = {
  view: [0, 0, 1000, 640],
  grounds: [[18, 196, 470, 428, 'Market square'], [618, 196, 364, 428, 'The street of roofs']],
  places: { internet: [500, 66], hall: [180, 96], box1: [330, 300], box2: [104, 300], field: [430, 430], box4: [690, 500], box5: [800, 330], box6: [800, 110], box7: [912, 500] },
  people: { left: 56, right: 450, top: 530, row: 58, most: 6 },
}
const TALL = {
  view: [0, 0, 400, 852],
  grounds: [[4, 160, 302, 370, 'Market square'], [4, 542, 392, 304, 'The street of roofs']],
  places: { internet: [196, 52], hall: [58, 70], box1: [168, 252], box2: [54, 252], field: [268, 262], box4: [80, 764], box5: [346, 640], box6: [346, 74], box7: [206, 764] },
  people: { left: 14, right: 300, top: 380, row: 58, most: 5 },
}
const MACHINE = {
  view: [0, 0, 1000, 330],
  grounds: [[190, 14, 620, 302, 'This machine']],
  places: { box1: [540, 130], box2: [300, 130], field: [720, 216] },
  people: { left: 230, right: 480, top: 270, row: 50, most: 4 },
}
const MACHINE_TALL = {
  view: [0, 0, 400, 270],
  grounds: [[4, 6, 392, 258, 'This machine']],
  places: { box1: [214, 110], box2: [72, 110], field: [340, 190] },
  people: { left: 14, right: 200, top: 226, row: 40, most: 3 },
}

export function planFor({ isPhone, isWholeTown }) {
  if (isWholeTown) return isPhone ? TALL : WIDE
  return isPhone ? MACHINE_TALL : MACHINE
}

export function seatsOf({ people: { left, right, top, row, most } }, ids) {
  const step = (right - left) / most
  return Object.fromEntries(ids.map((id, index) => {
    const line = Math.floor(index / most)
    const inLine = Math.min(most, ids.length - line * most)
    return [id, [(left + right) / 2 + ((index % most) - (inLine - 1) / 2) * step, top + line * row]]
  }))
}

export function lengthOf(points) {
  return points.slice(1).reduce((sum, point, index) => sum + distance(points[index], point), 0)
}

export function pointAt(points, part) {
  let way = Math.min(1, Math.max(0, part)) * lengthOf(points)
  for (let index = 1; index < points.length; index++) {
    const [from, to] = [points[index - 1], points[index]]
    const length = distance(from, to)
    if (way <= length && length > 0) return [from[0] + ((to[0] - from[0]) * way) / length, from[1] + ((to[1] - from[1]) * way) / length]
    way -= length
  }
  return points[points.length - 1]
}

const distance = ([x, y], [toX, toY]) => Math.hypot(toX - x, toY - y)
