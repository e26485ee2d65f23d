import t from 'tap'
import { END, type Format, written } from '../../lib/metrics/exposition.ts'
import { Counters, counter, type Family, gauge, Histogram, histogram } from '../../lib/metrics/family.ts'

function textOf(families: Family[], format: Format = 'text'): string {
  const work = written(families, format)
  for (;;) {
    const step = work.next()
    if (step.done) return step.value.toString() + END[format]
  }
}

t.test('a family is its help, its type, and a line for each sample', async (t) => {
  const family = gauge('memory_bytes', 'How much.', [
    [{}, 1.5],
    [{ node: 'a', kind: 'b' }, 0],
  ])
  t.equal(
    textOf([family]),
    [
      '# HELP memory_bytes How much.',
      '# TYPE memory_bytes gauge',
      'memory_bytes 1.5',
      'memory_bytes{node="a",kind="b"} 0\n',
    ].join('\n'),
  )
})

t.test('texts are escaped, numbers have their names', async (t) => {
  const family = gauge('x', 'a\\b\nc"', [
    [{ l: '"\\\n' }, Number.NaN],
    [{ l: 'ü' }, Number.POSITIVE_INFINITY],
    [{}, Number.NEGATIVE_INFINITY],
    [{}, 1e21],
  ])
  t.equal(
    textOf([family]),
    '# HELP x a\\\\b\\nc"\n# TYPE x gauge\nx{l="\\"\\\\\\n"} NaN\nx{l="ü"} +Inf\nx -Inf\nx 1e+21\n',
  )
})

t.test('the formats differ in the name of a counter, and in the end', async (t) => {
  const counts = new Counters('what', 'result')
  counts.add('users', 'ok')
  counts.add('users', 'failed')
  counts.add('users', 'ok')
  const family = () => counter('reloads', 'Reloads.', counts)
  const samples = [
    'reloads_total{what="users",result="ok"} 2',
    'reloads_total{what="users",result="failed"} 1',
  ]
  t.equal(
    textOf([family()]),
    ['# HELP reloads_total Reloads.', '# TYPE reloads_total counter', ...samples, ''].join('\n'),
  )
  t.equal(
    textOf([family()], 'openmetrics'),
    ['# HELP reloads Reloads.', '# TYPE reloads counter', ...samples, '# EOF', ''].join('\n'),
  )
})

t.test('a histogram has cumulative buckets, with the bounds included', async (t) => {
  const durations = new Histogram([0.1, 1])
  for (const value of [0.05, 0.1, 0.5, 1, 2]) durations.observe(value)
  t.equal(
    textOf([histogram('d', 'D.', [[{ a: 'b' }, durations]])]),
    [
      '# HELP d D.',
      '# TYPE d histogram',
      'd_bucket{a="b",le="0.1"} 2',
      'd_bucket{a="b",le="1.0"} 4',
      'd_bucket{a="b",le="+Inf"} 5',
      'd_sum{a="b"} 3.65',
      'd_count{a="b"} 5',
      '',
    ].join('\n'),
  )
})

t.test('a long family is written in pieces', async (t) => {
  const work = written([gauge('x', 'X.', samples())], 'text')
  let pauses = 0
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) {
      t.equal(step.value.toString().split('\n').length, 10_003)
      break
    }
    pauses++
  }
  t.ok(pauses > 100)
})

function* samples(): Generator<readonly [{ name: string }, number]> {
  for (let index = 0; index < 10_000; index++) yield [{ name: `i${index}` }, index]
}
