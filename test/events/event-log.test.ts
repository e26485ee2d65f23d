import t from 'tap'
import type { Event } from '../../lib/events/event.ts'
import { EventLog, parseId } from '../../lib/events/event-log.ts'
import { NO_OBJECTS } from '../../lib/events/objects.ts'

function event(n: number, text = ''): Event {
  return { type: 'job', data: { id: n, text }, job: n, objects: NO_OBJECTS }
}

/** A log whose clock is set by hand. */
function logAt(options: { mostEvents?: number; mostBytes?: number } = {}) {
  const clock = { now: 1_000_000_000_000 }
  return { clock, log: new EventLog({ now: () => clock.now, ...options }) }
}

t.test('an event is encoded once, with an id that counts and has the time', async (t) => {
  const { clock, log } = logAt()
  log.append(event(7, 'two\nlines'))
  t.equal(
    log.at(1).frame.toString(),
    `id: ${log.epoch}.1.${clock.now}\nevent: job\ndata: {"id":7,"text":"two\\nlines"}\n\n`,
  )
  t.strictSame(parseId(log.idAfter(1)), { epoch: log.epoch, number: 1, time: clock.now })
})

t.test('what is no id of ours is none', async (t) => {
  for (const text of ['', 'x', '1.2', 'a.1.2.3', 'a.-1.2', 'a.1e3.2', `${'a'.repeat(33)}.1.2`, 'a.1.2\n']) {
    t.equal(parseId(text), undefined, JSON.stringify(text))
  }
})

t.test('two logs have different epochs', async (t) => {
  t.not(new EventLog().epoch, new EventLog().epoch)
})

t.test('events of the last ten minutes are kept, and some thousands however old', async (t) => {
  const { clock, log } = logAt()
  for (let n = 1; n <= 5000; n++) log.append(event(n))
  t.equal(log.size, 5000)
  clock.now += 10 * 60_000
  log.append(event(5001))
  t.equal(log.size, 5001, 'after ten minutes all are there')
  clock.now += 1
  log.append(event(5002))
  t.equal(log.size, 4096)
  t.equal(log.first, 5002 - 4095)
  t.equal(log.at(log.first).event.job, log.first)
  t.equal(log.at(5002).event.job, 5002)
})

t.test('their number and bytes are limited', async (t) => {
  const { log } = logAt({ mostEvents: 10 })
  for (let n = 1; n <= 5000; n++) log.append(event(n))
  t.equal(log.size, 10)
  t.equal(log.at(5000).event.job, 5000)

  const { log: small } = logAt({ mostBytes: 1000 })
  for (let n = 1; n <= 50; n++) small.append(event(n, 'x'.repeat(100)))
  t.ok(small.bytes <= 1000)
  t.ok(small.size > 1)
  let bytes = 0
  for (let number = small.first; number <= small.last; number++) bytes += small.at(number).frame.length
  t.equal(small.bytes, bytes)
})

t.test('it is known what can be gone on from', async (t) => {
  const { log } = logAt({ mostEvents: 3 })
  const position = (number: number, epoch = log.epoch) => ({ epoch, number, time: 0 })
  t.ok(log.keepsAfter(position(0)), 'nothing has happened')
  for (let n = 1; n <= 5; n++) log.append(event(n))
  t.strictSame(
    [0, 1, 2, 3, 4, 5, 6].map((number) => log.keepsAfter(position(number))),
    [false, false, true, true, true, true, false],
  )
  t.notOk(log.keepsAfter(position(4, 'another')))
  log.clear()
  t.equal(log.size, 0)
  t.notOk(log.keepsAfter(position(5)), 'what happens in between is not known')
  t.ok(log.keepsAfter(position(log.last)))
  log.append(event(9))
  t.equal(log.at(log.last).event.job, 9)
})
