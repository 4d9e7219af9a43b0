/* The town's map, drawn from the lab's events. */
import { lengthOf, planFor, pointAt, seatsOf } from './layout.js'

const NS = 'http://www.w3.org/2000/svg'
const phone = matchMedia('(max-width: 720px)')
const calm = matchMedia('(prefers-reduced-motion: reduce)')
const map = document.getElementById('map')
const said = document.getElementById('said')
let scene = { boxes: {}, links: {}, guests: {}, figures: {}, missing: null }
let flying = 0

const plan = () => planFor({ isPhone: phone.matches, isWholeTown: scene.missing === null })
function el(name, attributes, ...children) {
  const one = document.createElementNS(NS, name)
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value)
  one.append(...children)
  return one
}
const words = (text, x, y, kind) => el('text', { x, y, class: kind }, text)

const seats = () => seatsOf(plan(), Object.keys(scene.guests))
const placeOf = (id) => plan().places[id] ?? seats()[id] ?? null

function drawLink(link) {
  const [from, to] = [placeOf(link.from), placeOf(link.to)]
  if (from === null || to === null) return []
  const parts = [el('line', { x1: from[0], y1: from[1], x2: to[0], y2: to[1], class: `wire ${link.kind} ${link.state === 'up' ? '' : link.state}` })]
  if (link.state !== 'up' && !(link.from in scene.guests)) parts.push(words(link.state === 'down' ? 'cut' : 'gate shut', (from[0] + to[0]) / 2, (from[1] + to[1]) / 2 - 6, `wire-label ${link.state}`))
  return parts
}
function drawBox(id, box) {
  const place = plan().places[id]
  if (place === undefined) return []
  const [x, y] = place
  const group = el('g', { class: `${box.state} ${box.isCheating ? 'cheat' : ''}`, transform: `translate(${x} ${y})` },
    el('rect', { x: -26, y: -16, width: 52, height: 34, rx: 4, class: 'house' }),
    el('path', { d: 'M-32 -16 L0 -38 L32 -16 Z', class: 'roof' }),
    el('circle', { cx: 0, cy: 1, r: 6, class: 'lamp' }),
    words(box.name, 0, 36, 'name'),
    words(box.state === 'on' ? (box.isCheating ? 'counts too little' : box.role) : box.state === 'off' ? 'no power' : 'starting\u2026', 0, 52, 'under'))
  if (box.earned !== null) group.append(words(`+${box.earned}`, 0, 69, 'earned'))
  return [group]
}
function drawGuest(guest, place) {
  return el('g', { class: `person ${guest.state}`, transform: `translate(${place[0]} ${place[1]})` },
    el('circle', { cx: 0, cy: -18, r: 6 }), el('path', { d: 'M-9 2 a9 11 0 0 1 18 0 z' }),
    words(guest.name, 0, 17, ''), words(guest.note, 0, 31, 'under'))
}
function draw() {
  const { view, grounds, places } = plan()
  map.setAttribute('viewBox', view.join(' '))
  const parts = grounds.map(([x, y, width, height, name]) => el('g', {}, el('rect', { x, y, width, height, rx: 16, class: 'ground' }), words(name, x + 14, y + 22, 'ground-label')))
  for (const link of Object.values(scene.links)) parts.push(...drawLink(link))
  if (places.internet !== undefined) parts.push(el('g', { transform: `translate(${places.internet.join(' ')})` }, el('path', { d: 'M-54 20 a22 22 0 0 1 6 -43 a32 32 0 0 1 58 -8 a26 26 0 0 1 44 22 a19 19 0 0 1 -6 29 z', class: 'sky' }), words('Internet', 0, 4, 'name')))
  if (scene.links.field !== undefined) {
    const [fx, fy] = places.field
    parts.push(el('g', { transform: `translate(${fx} ${fy})` }, el('circle', { r: 22, class: 'ground' }), el('path', { d: 'M0 12 V-6 M-6 -10 a8 8 0 0 1 12 0 M-11 -14 a15 15 0 0 1 22 0', class: 'sensor' }), words('Sensors', 0, 40, 'name')))
  }
  for (const [id, box] of Object.entries(scene.boxes)) parts.push(...drawBox(id, box))
  const at = seats()
  for (const [id, guest] of Object.entries(scene.guests)) parts.push(drawGuest(guest, at[id]))
  const layer = el('g', { id: 'flows' })
  const old = document.getElementById('flows')
  if (old !== null) layer.append(...old.childNodes)
  map.replaceChildren(...parts, layer)
}

function cell(text, kind = '') {
  const one = document.createElement('td')
  one.className = kind
  one.textContent = text
  return one
}
function fillTable() {
  document.getElementById('boxes').replaceChildren(...Object.entries(scene.boxes).sort(([one], [other]) => one.localeCompare(other)).map(([id, box]) => {
    const row = document.createElement('tr')
    const name = cell(box.name)
    const role = document.createElement('small')
    role.textContent = `${id}: ${box.role}`
    name.append(role)
    const state = document.createElement('td')
    const pill = document.createElement('span')
    pill.className = `pill ${box.isCheating ? 'off' : box.state}`
    pill.textContent = box.isCheating ? 'cheats' : box.state
    state.append(pill)
    row.append(name, state, cell(box.earned ?? '', 'number'), cell(box.facts.join(' \u00b7 ')))
    return row
  }))
  document.getElementById('figures').replaceChildren(...Object.entries(scene.figures).map(([name, value]) => {
    const pair = document.createElement('div')
    const dt = document.createElement('dt')
    const dd = document.createElement('dd')
    dt.textContent = name
    dd.textContent = value
    pair.append(dt, dd)
    return pair
  }))
}

function fly(flow) {
  const points = flow.by.map(placeOf).filter((point) => point !== null)
  if (points.length < 2 || flying > 40 || document.hidden) return
  const mark = flow.kind === 'block' ? el('rect', { x: -5, y: -5, width: 10, height: 10, rx: 2 }) : el('circle', { r: flow.kind === 'money' ? 8 : flow.kind === 'frame' ? 5 : 4 })
  const group = el('g', { class: `flow ${flow.kind}` }, mark)
  if (flow.label !== '') group.append(words(flow.label, 0, -13, ''))
  document.getElementById('flows')?.append(group)
  flying++
  const whole = lengthOf(points)
  const time = calm.matches ? 1200 : Math.max(900, Math.min(2600, whole * 6))
  const start = performance.now()
  const tick = (now) => {
    const part = Math.min(1, (now - start) / time)
    const eased = calm.matches ? 0.5 : part < 0.5 ? 2 * part * part : 1 - (2 - 2 * part) ** 2 / 2
    const [x, y] = pointAt(points, eased)
    group.setAttribute('transform', `translate(${x} ${y})`)
    if (part < 1) return requestAnimationFrame(tick)
    group.remove()
    flying--
  }
  requestAnimationFrame(tick)
}

function say({ kind, text, seconds }) {
  const isAtEnd = said.scrollHeight - said.scrollTop - said.clientHeight < 60
  const line = document.createElement('li')
  line.className = kind
  if (kind === 'note' && (text.includes('\n') || /\S {3,}\S/.test(text))) line.classList.add('table')
  line.textContent = text
  if (kind === 'step') {
    const time = document.createElement('time')
    time.textContent = `${seconds.toFixed(0)} s`
    line.prepend(time)
  }
  said.append(line)
  while (said.childElementCount > 300) said.firstElementChild.remove()
  if (isAtEnd) said.scrollTop = said.scrollHeight
}

function showMissing() {
  const sign = document.getElementById('missing')
  sign.textContent = scene.missing ?? ''
  sign.hidden = scene.missing === null
  document.getElementById('interfere').hidden = scene.missing !== null
}
function show(isLive) {
  const sign = document.getElementById('connection')
  sign.textContent = isLive ? 'live' : 'the lab has ended, or is away; trying again\u2026'
  sign.classList.toggle('lost', !isLive)
}
const events = new EventSource('events')
events.addEventListener('hello', (event) => {
  said.replaceChildren()
  for (const line of JSON.parse(event.data).said) say(line)
  said.scrollTop = said.scrollHeight
  show(true)
})
events.addEventListener('scene', (event) => {
  scene = JSON.parse(event.data)
  showMissing()
  draw()
  fillTable()
})
events.addEventListener('flow', (event) => fly(JSON.parse(event.data)))
events.addEventListener('said', (event) => say(JSON.parse(event.data)))
events.onerror = () => show(false)
phone.addEventListener('change', draw)
draw()
