/** The metrics of the whole program, checked by promtool and scraped by a real Prometheus (Debian: prometheus). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DaemonRoot, eventually, fixture } from '../support/daemon-root.ts'
import { freePort } from '../support/free-port.ts'

const SAMPLE = readFileSync(fixture('cluster.yaml'), 'utf8')
const HERE = ['-b', '127.0.0.1', '-p', '0']
const CLUSTER = 'cluster1.example.com'

const isMissing =
  spawnSync('promtool', ['--version']).error !== undefined &&
  process.env.GANETI_RAPI_TEST_CLIENTS !== 'required' &&
  'needs Debian package prometheus'

/** The names that promtool finds fault with, which are those of Ganeti's exporter. */
const ITS_NAMES = /^ganeti_(cluster_(instance|node)_count|node_s_oper_vcpus) /

async function daemonRoot(t: Test, ...args: string[]): Promise<DaemonRoot> {
  const root = new DaemonRoot(t.testdir())
  root.fill('monitor monitor-pw read\nalice alice-pw write\n', { clusterYaml: SAMPLE })
  t.teardown(() => root.end())
  await root.start(...HERE, ...args)
  return root
}

t.test('promtool finds nothing wrong but names of the exporter', { skip: isMissing }, async (t) => {
  const root = await daemonRoot(t)
  await root.ask('PUT', '/2/instances/web.example.com/shutdown', { credentials: 'alice:alice-pw' })
  await root.get('/2/nodes', 'nobody:wrong')
  const { status, headers, body } = await root.get('/metrics')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  t.equal(checked.stdout, '')
  t.strictSame(
    checked.stderr.split('\n').filter((line) => line !== '' && !ITS_NAMES.test(line)),
    [],
  )
  t.notMatch(body, /alice|monitor|127\.0\.0\.1/, 'nobody is named')
  const [, end] = /^ganeti_rapi_certificate_not_after_timestamp_seconds (\d+)$/m.exec(body) ?? []
  const days = (Number(end) - Date.now() / 1000) / 86_400
  t.ok(days > 0 && days < 100_000, `the certificate ends in ${days} days`)
})

interface Result {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

/** Starts a Prometheus that scrapes a daemon over TLS with a password; gives what asks it. */
async function prometheus(t: Test, root: DaemonRoot): Promise<(query: string) => Promise<readonly Result[]>> {
  const folder = join(root.root, 'prometheus')
  mkdirSync(folder)
  const config = {
    scrape_configs: [
      {
        job_name: 'ganeti',
        scheme: 'https',
        scrape_interval: '1s',
        scrape_timeout: '1s',
        basic_auth: { username: 'monitor', password: 'monitor-pw' },
        tls_config: { ca_file: root.pem },
        static_configs: [{ targets: [new URL(root.origin).host] }],
      },
    ],
  }
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const port = await freePort()
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  t.teardown(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return async (query) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { data } = (await answer.json()) as { data: { result: readonly Result[] } }
    return data.result
  }
}

/** Queries of the kinds that the dashboards of Ganeti's exporter make, and what they give here. */
const QUERIES: readonly (readonly [query: string, values: Readonly<Record<string, string>>])[] = [
  [`sum(ganeti_cluster_instance_count{cluster="${CLUSTER}"})`, { '': '8' }],
  [`ganeti_cluster_node_count{cluster="${CLUSTER}"} - ganeti_cluster_offline_nodes`, { [CLUSTER]: '4' }],
  [
    'sum by (node) (ganeti_node_mtotal - ganeti_node_mfree)',
    {
      'node1.example.com': '1536',
      'node2.example.com': '3072',
      'node3.example.com': '9216',
      'node4.example.com': '256',
    },
  ],
  [
    'sum by (node) (ganeti_node_p_oper_vcpus / ganeti_node_ctotal)',
    {
      'node1.example.com': '0.25',
      'node2.example.com': '0.25',
      'node3.example.com': '0.25',
      'node4.example.com': '0.25',
    },
  ],
  ['sum(ganeti_instance_oper_ram)', { '': '11008' }],
  ['max by (job_operation) (ganeti_job_wait_time)', { OP_INSTANCE_SHUTDOWN: '0' }],
  ['sum by (job_status) (ganeti_cluster_jobs{job_status=~"success|error"})', { success: '1', error: '0' }],
  ['ganeti_up', { [CLUSTER]: '1' }],
  ['up', { '': '1' }],
]

const here = (name: string, more = '') => `${name}{cluster="${CLUSTER}"${more}}`

/** What the panels of both dashboards ask for, but for those of hbal and hspace: each has something to show. */
const PANELS: readonly string[] = [
  'count(count by (cluster) (ganeti_cluster_node_count))',
  ...['ganeti_cluster_node_count', 'ganeti_cluster_instance_count', 'ganeti_instance_oper_ram'].map(sum),
  ...['ganeti_instance_oper_vcpus', 'ganeti_node_ctotal', 'ganeti_node_dtotal', 'ganeti_node_mtotal'].map(
    sum,
  ),
  ...['ganeti_cluster_node_count', 'ganeti_cluster_instance_count', 'ganeti_cluster_jobs'].map((name) =>
    here(name),
  ),
  ...['pinst_cnt', 'sinst_cnt', 'mfree', 'dfree'].map((name) => here(`ganeti_node_${name}`)),
  ...['ganeti_cluster_offline_nodes', 'ganeti_instance_oper_ram', 'ganeti_instance_oper_vcpus'].map(sumHere),
  ...['ctotal', 'mtotal', 'dtotal', 'mfree', 'dfree'].map((name) => sumHere(`ganeti_node_${name}`)),
  ...['ganeti_instance_oper_ram', 'ganeti_instance_oper_vcpus', 'ganeti_job_wait_time'].map(
    (name) => `avg(${here(name)})`,
  ),
  `${sumHere('ganeti_instance_oper_vcpus')} / ${sumHere('ganeti_node_ctotal')}`,
  `${here('ganeti_node_p_oper_vcpus')} / ${here('ganeti_node_ctotal')}`,
  here('ganeti_cluster_jobs', ', job_status="error"'),
  here('ganeti_job_run_time', ', job_operation="OP_INSTANCE_SHUTDOWN"'),
  `avg(${here('ganeti_job_run_time', ', job_operation=~"OP_INSTANCE_SHUTDOWN"')})`,
  `avg by(job_operation) (${here('ganeti_job_run_time')})`,
]

function sum(name: string): string {
  return `sum(${name})`
}

function sumHere(name: string): string {
  return sum(here(name))
}

t.test(
  'a Prometheus scrapes it over TLS with a password, and answers the dashboards',
  { skip: isMissing },
  async (t) => {
    const root = await daemonRoot(t, '--require-authentication')
    t.equal((await root.get('/metrics')).status, 401)
    const { body: job } = await root.ask('PUT', '/2/instances/build.example.com/shutdown', {
      credentials: 'alice:alice-pw',
    })
    await eventually(async () => {
      const { body } = await root.get(`/2/jobs/${job.trim()}`, 'monitor:monitor-pw')
      if (JSON.parse(body).status !== 'success') throw new Error(body)
    })
    const ask = await prometheus(t, root)
    await eventually(async () => {
      if ((await ask('ganeti_up')).length === 0) throw new Error('not scraped yet')
    })
    for (const [query, values] of QUERIES) {
      const results = await ask(query)
      const found = results.map(({ metric, value }) => {
        const { node, job_operation, job_status, cluster } = metric
        return [node ?? job_operation ?? job_status ?? cluster ?? '', value[1]]
      })
      t.strictSame(Object.fromEntries(found), values, query)
    }
    for (const query of PANELS) t.not((await ask(query)).length, 0, query)
    const scrapes = 'ganeti_rapi_http_requests_total{method="GET",route="/metrics",code="200"}'
    await eventually(async () => {
      const [result] = await ask(scrapes)
      if (Number(result?.value[1]) < 2) throw new Error('not yet')
    })
    t.equal(
      (await ask('histogram_quantile(0.5, ganeti_rapi_http_request_duration_seconds_bucket)')).length > 0,
      true,
    )
  },
)
