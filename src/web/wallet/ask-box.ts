/** Questions to the box in JSON. XMLHttpRequest: every mini-browser has it. */
export interface BoxAnswer {
  /** 0: the box was not reached. */
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const TIMEOUT_MS = 15_000

/** `fields`: sent as a form by POST; null: GET. Never throws. */
export function askBox(path: string, fields: Readonly<Record<string, string>> | null, done: (answer: BoxAnswer) => void): void {
  const request = new XMLHttpRequest()
  request.open(fields === null ? 'GET' : 'POST', path)
  request.timeout = TIMEOUT_MS
  request.setRequestHeader('Accept', 'application/json')
  if (fields !== null) request.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded')
  request.onloadend = () => done({ status: request.status, body: read(request.responseText) })
  request.send(fields === null ? null : Object.keys(fields).map((name) => `${name}=${encodeURIComponent(fields[name] ?? '')}`).join('&'))
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {} // an answer of something between us and the box: as good as none
  }
}
