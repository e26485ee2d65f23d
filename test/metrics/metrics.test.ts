import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { EventHub } from '../../lib/events/event-hub.ts'
import { Failure } from '../../lib/failure.ts'
import { EventMetrics } from '../../lib/metrics/event-metrics.ts'
import { Counters } from '../../lib/metrics/family.ts'
import { HttpMetrics } from '../../lib/metrics/http-metrics.ts'
import { LuxiMetrics } from '../../lib/metrics/luxi-metrics.ts'
import { Metrics } from '../../lib/metrics/metrics.ts'
import { ProcessMetrics } from '../../lib/metrics/process-metrics.ts'
import { TestSource } from '../events/hub.ts'

/** Metrics of a cluster whose answers and clock are a test's. */
function metricsOf() {
  const state = { now: 1_000_000, asked: 0, answer: async () => ({ name: 'c' }) }
  const backend = {
    queryClusterInfo: () => {
      state.asked++
      return state.answer()
    },
    queryTags: async () => [],
    queryNodes: async () => [],
    queryInstances: async () => [],
    queryJobs: async () => [],
  }
  const metrics = new Metrics({
    http: new HttpMetrics(),
    process: { families: async () => [] },
    luxi: new LuxiMetrics(),
    events: new EventMetrics(new EventHub({ source: new TestSource() })),
    backend: () => backend as unknown as Backend,
    version: '1.2.3',
    certificateEnd: () => 5000,
    stateTime: () => undefined,
    reloads: new Counters('what', 'result'),
    now: () => state.now,
  })
  const scrape = async () => (await metrics.text('text')).toString()
  return { state, scrape, metrics }
}

t.test('however many scrape, the cluster is asked once in fifteen seconds', async (t) => {
  const { state, scrape } = metricsOf()
  const texts = await Promise.all(Array.from({ length: 20 }, scrape))
  for (const text of texts) t.match(text, 'ganeti_cluster_node_count{cluster="c"} 0\n')
  t.equal(state.asked, 1)
  state.now += 14_999
  await scrape()
  t.equal(state.asked, 1)
  state.now += 1
  await scrape()
  t.equal(state.asked, 2)
})

t.test('while the cluster does not answer, its last values are shown for five minutes', async (t) => {
  const { state, scrape } = metricsOf()
  t.match(await scrape(), 'ganeti_up{cluster="c"} 1\n')
  state.answer = async () => {
    throw new Failure('no-master', 'nobody is there')
  }
  state.now += 20_000
  const old = await scrape()
  t.match(old, 'ganeti_up{cluster="c"} 0\n')
  t.match(old, 'ganeti_cluster_node_count{cluster="c"} 0\n')
  t.match(old, 'ganeti_rapi_cluster_values_timestamp_seconds 1000\n')
  state.now += 280_000
  const none = await scrape()
  t.notMatch(none, 'ganeti_cluster_node_count')
  t.match(none, 'ganeti_up{cluster="c"} 0\n')
  state.answer = async () => ({ name: 'c' })
  state.now += 15_000
  t.match(await scrape(), 'ganeti_up{cluster="c"} 1\n')
})

t.test('before the cluster has answered for the first time, the rest is there', async (t) => {
  const { state, scrape } = metricsOf()
  state.answer = async () => {
    throw new Failure('no-answer', 'too late')
  }
  const text = await scrape()
  t.match(text, 'ganeti_up{cluster=""} 0\n')
  t.match(text, `ganeti_rapi_build_info{version="1.2.3",node_version="${process.version}"} 1\n`)
  t.match(text, 'ganeti_rapi_certificate_not_after_timestamp_seconds 5\n')
  t.notMatch(text, 'ganeti_rapi_state_timestamp_seconds')
  t.notMatch(text, 'cluster_values_timestamp')
})

t.test('OpenMetrics ends with its mark', async (t) => {
  const { metrics } = metricsOf()
  t.match((await metrics.text('openmetrics')).toString(), /\n# EOF\n$/)
})

t.test('calls of the master daemon are counted by name; those that wait have no duration', async (t) => {
  const luxi = new LuxiMetrics()
  luxi.called('QueryJobs', 3, undefined)
  luxi.called('QueryJobs', 70_000, undefined)
  luxi.called('WaitForJobChange', undefined, undefined)
  luxi.called('SubmitJob', 5, new Failure('no-answer', 'x'))
  luxi.called('SubmitJob', 5, new TypeError('x'))
  const [durations, errors] = luxi.families().map(({ samples }) => [...samples])
  t.strictSame([...new Set(durations?.map(({ labels }) => labels.call))], ['QueryJobs'])
  t.match(durations?.at(-1), { suffix: '_count', value: 2 })
  t.match(durations?.at(-2), { suffix: '_sum', value: 70.003 })
  t.strictSame(
    errors?.map(({ labels, value }) => [labels.call, labels.kind, value]),
    [
      ['SubmitJob', 'no-answer', 1],
      ['SubmitJob', 'other', 1],
    ],
  )
})

t.test('the process has the metrics that client libraries give it', async (t) => {
  const metrics = new ProcessMetrics()
  t.teardown(() => metrics.close())
  const values = new Map<string, number>()
  for (const { name, samples } of await metrics.families()) {
    for (const { suffix = '', value } of samples) values.set(name + suffix, value)
  }
  for (const name of [
    'process_cpu_seconds_total',
    'process_cpu_user_seconds_total',
    'process_cpu_system_seconds_total',
    'process_start_time_seconds',
    'process_resident_memory_bytes',
    'process_virtual_memory_bytes',
    'process_open_fds',
    'process_max_fds',
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_total_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_external_memory_bytes',
    'nodejs_gc_duration_seconds_count',
    'nodejs_version_info',
  ]) {
    t.ok(Number.isFinite(values.get(name)), `${name} ${values.get(name)}`)
  }
  t.ok(Math.abs(Number(values.get('process_start_time_seconds')) * 1000 - performance.timeOrigin) < 5000)
  t.ok(Number(values.get('process_open_fds')) > 2)
  t.ok(
    Number(values.get('process_virtual_memory_bytes')) > Number(values.get('process_resident_memory_bytes')),
  )
})
