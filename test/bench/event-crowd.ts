/**
 * A process with many clients that follow events, for events.ts: they only count
 * how many jobs they were told the end of, but for a few that also note how
 * long after the end of a job they were told of it.
 *
 *     event-crowd.js PORT LISTENERS TARGET
 *
 * Told `{ "report": true }` it answers with what it has; before that it says
 * `{ "ready": true }` once all listen.
 */
import { connect } from 'node:net'

/** Clients that look at each event. */
const LOOKING = 20
/** Clients that one address may have. */
const ON_AN_ADDRESS = 60
/** Clients that come at once. */
const AT_ONCE = 50

const END = '"status":"success"'

const [port = '', listeners = '', target = ''] = process.argv.slice(2)
const ends: number[] = []
const delays: number[] = []
let ready = 0
let next = 0

/** A client; it comes again until it is told something, as it may have to make room for others. */
function listen(n: number): void {
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    localAddress: `127.0.1.${1 + Math.floor(n / ON_AN_ADDRESS)}`,
  })
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nUser-Agent: bench\r\n\r\n`)
  ends[n] = 0
  let rest = ''
  let isReady = false
  socket.on('data', (bytes) => {
    const now = Date.now()
    const text = rest + bytes.toString('latin1')
    if (!isReady && text.includes('event: ready')) {
      isReady = true
      if (++ready === Number(listeners)) process.send?.({ ready: true })
      another()
    }
    let at = 0
    for (let found = text.indexOf(END); found >= 0; found = text.indexOf(END, at)) {
      at = found + END.length
      ends[n] = (ends[n] ?? 0) + 1
      if (n >= LOOKING) continue
      const [, seconds, microseconds] = /"end_ts":\[(\d+),(\d+)\]/.exec(text.slice(found, found + 600)) ?? []
      if (seconds) delays.push(now - (Number(seconds) * 1000 + Number(microseconds) / 1000))
    }
    // What may be the beginning of what is looked for, with all that follows it in its event.
    rest = text.slice(Math.max(at, text.lastIndexOf('\ndata: ')))
    if (rest.includes(END)) rest = ''
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    if (!isReady) setTimeout(listen, 100, n)
  })
}

function another(): void {
  if (next < Number(listeners)) listen(next++)
}

for (let n = 0; n < AT_ONCE; n++) another()

process.on('message', () => process.send?.({ ends, delays }))
