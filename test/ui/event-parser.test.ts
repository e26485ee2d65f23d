/** The page's parser of streams of events, as the HTML standard has it. */
import t, { type Test } from 'tap'

interface Event {
  readonly id: string
  readonly type: string
  readonly data: string
}
interface Parser {
  lastId: string
  readonly retry: number | undefined
  push(piece: string): Event[]
}

const MODULE = new URL('../../ui/event-parser.js', import.meta.url).href
const { EventParser } = (await import(MODULE)) as { EventParser: new () => Parser }

/** What a stream gives, the same however it is cut. */
function eventsOf(t: Test, text: string): readonly string[] {
  const parse = (pieces: readonly string[]) => {
    const parser = new EventParser()
    return pieces.flatMap((piece) => parser.push(piece)).map(({ id, type, data }) => `${id}|${type}|${data}`)
  }
  const whole = parse([text])
  t.strictSame(parse([...text]), whole, 'in pieces of one character')
  for (let at = 0; at <= text.length; at++) t.strictSame(parse([text.slice(0, at), text.slice(at)]), whole)
  return whole
}

t.test('streams and the events in them', async (t) => {
  const cases: readonly (readonly [text: string, events: readonly string[]])[] = [
    ['data: one\n\n', ['|message|one']],
    ['data:one\n\ndata:  two\n\n', ['|message|one', '|message| two']],
    ['event: job\ndata: {"id": 1}\n\n', ['|job|{"id": 1}']],
    ['data: a\ndata: b\ndata\n\n', ['|message|a\nb\n']],
    ['data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['|message|a', '|message|b', '|message|c']],
    ['\uFEFFdata: a\n\n', ['|message|a']],
    [': a comment\n\n:\n\ndata: a\n\n', ['|message|a']],
    ['id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n', ['7|message|a', '7|message|b', '|message|c']],
    ['id: 7\n\ndata: a\n\n', ['7|message|a']],
    ['id: 1\0\ndata: a\n\n', ['|message|a']],
    ['event: x\n\ndata: a\n\n', ['|message|a']],
    ['data: cut off', []],
    ['data: cut off\n', []],
    ['unknown: x\ndata: a:b\n\n', ['|message|a:b']],
    ['data\n\n', ['|message|']],
  ]
  for (const [text, events] of cases) t.strictSame(eventsOf(t, text), events, JSON.stringify(text))
})

t.test('it keeps the last id, and how long to wait', async (t) => {
  const parser = new EventParser()
  parser.lastId = '3'
  t.match(parser.push('data: a\n\n'), [{ id: '3' }])
  parser.push(':\nid: 9\n\nretry: 1500\n')
  t.equal(parser.lastId, '9')
  t.equal(parser.retry, 1500)
  parser.push('retry: soon\n')
  t.equal(parser.retry, 1500)
})
