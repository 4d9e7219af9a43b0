/** The mesh: how it is, boxes and members, the map, prices, carriages, guests who walk, paths, invitations. */
import type { Handler } from '../routes.ts'
import { NOTHING, flag, integer, line, object, oneOf, text } from '../../request-schema.ts'
import { address } from './chain.ts'

type MeshRoute = 'mesh' | 'meshView' | 'meshBan' | 'meshUnban' | 'meshJoining' | 'meshJoin' | 'meshPeers' | 'meshMap' | 'meshPrices' | 'meshPath' | 'meshInvitations' | 'meshInvite' | 'meshTakeBack' | 'meshExpel' | 'meshPardon' | 'meshCarriageEnd' | 'meshCarriageReadmit' | 'meshCarriageWriteOff' | 'meshGuests'

const MAX_USES = 32
const MAX_DAYS = 366
const MAX_NAME = 64
const MAX_REASON = 160
const MAX_CHANNEL = 233
/** With the blanks and line ends that a chat puts in. */
const MAX_CODE = 1200
const MAX_COMMUNITY_NAME = 32
const BOX = object({ id: address }, ['id'])
const NUMBER = object({ id: text(1, 13, /^[1-9][0-9]*$/, 'number of an invitation') }, ['id'])

export const meshRoutes: { [N in MeshRoute]: Handler<N> } = {
  mesh: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.status() },
  meshView: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.view() },
  meshPeers: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.peers() },
  meshMap: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.map() },
  meshPrices: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.prices() },
  meshPath: { schema: { query: object({ to: text(1, MAX_NAME, /^[^\p{Cc}]+$/u, 'a name, a box or a node') }, ['to']) }, run: ({ mesh }, { query }) => mesh.path(query['to'] ?? '') },
  meshInvitations: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.invitations() },
  meshInvite: { schema: { query: NOTHING, body: object({ uses: integer(1, MAX_USES), days: integer(1, MAX_DAYS) }) }, run: ({ mesh }, { body }) => mesh.invite(body) },
  meshTakeBack: { schema: { params: NUMBER, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.takeBack(Number(params['id'])) },
  meshExpel: { schema: { params: BOX, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.expel(params['id'] ?? '') },
  meshBan: { schema: { params: BOX, query: NOTHING, body: object({ reason: line(MAX_REASON) }) }, run: ({ mesh }, { params, body }) => mesh.ban(params['id'] ?? '', body) },
  meshUnban: { schema: { params: BOX, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.unban(params['id'] ?? '') },
  meshCarriageEnd: { schema: { params: BOX, query: NOTHING, body: object({ reason: line(MAX_REASON) }) }, run: ({ mesh }, { params, body }) => mesh.endCarriage(params['id'] ?? '', body) },
  meshCarriageReadmit: { schema: { params: BOX, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.readmit(params['id'] ?? '') },
  meshCarriageWriteOff: { schema: { params: BOX, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.writeOff(params['id'] ?? '') },
  meshGuests: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.guests() },
  meshJoining: { schema: { query: NOTHING }, run: ({ mesh }) => mesh.joining() },
  meshJoin: {
    schema: { query: NOTHING, body: object({ do: oneOf('join', 'begin', 'leave', 'undo'), code: text(1, MAX_CODE), name: line(MAX_COMMUNITY_NAME), channel: integer(1, MAX_CHANNEL), apply: flag }, ['do']) },
    run: ({ mesh }, { body }) => mesh.join(body),
  },
  meshPardon: { schema: { params: BOX, query: NOTHING, body: NOTHING }, run: ({ mesh }, { params }) => mesh.pardon(params['id'] ?? '') },
}
