import t from 'tap'
import { rfc3339 } from '../../lib/daemon/rfc3339.ts'

const zone = process.env.TZ
t.teardown(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const WINTER = Date.UTC(2026, 0, 2, 3, 4, 5, 6)
const SUMMER = Date.UTC(2026, 6, 31, 23, 59, 59, 999)
const cases: readonly (readonly [zone: string, time: number, text: string])[] = [
  ['UTC', WINTER, '2026-01-02T03:04:05.006+00:00'],
  ['Europe/Berlin', WINTER, '2026-01-02T04:04:05.006+01:00'],
  ['Europe/Berlin', SUMMER, '2026-08-01T01:59:59.999+02:00'],
  ['America/St_Johns', WINTER, '2026-01-01T23:34:05.006-03:30'],
  ['Asia/Kathmandu', SUMMER, '2026-08-01T05:44:59.999+05:45'],
]

for (const [name, time, text] of cases) {
  t.test(`local time and its offset: ${text}`, async (t) => {
    process.env.TZ = name
    // Another second, as the text of the last one is remembered.
    rfc3339(0)
    t.equal(rfc3339(time), text)
    t.equal(Date.parse(text), time)
    t.equal(
      rfc3339(time - 1),
      text.replace(/(?<=\.)\d{3}/, (ms) => String(Number(ms) - 1).padStart(3, '0')),
    )
  })
}
