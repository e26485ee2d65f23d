import t from 'tap'
import { createRouter } from '../../lib/http/router.ts'
import { type Resource, resource } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'

function table(...paths: string[]): Resource[] {
  return paths.map((path) => resource(path, '', {}))
}

const router = createRouter(
  table(
    '/',
    '/2',
    '/2/jobs',
    '/2/jobs/{job_id}',
    '/2/jobs/{job_id}/wait',
    '/2/instances',
    '/2/instances-multi-alloc',
    '/2/instances/{instance_name}',
    '/2/instances/{instance_name}/tags',
    '/2/instances/{instance_name}/disk/{disk}/grow',
  ),
)

const found: [url: string, path: string, params: Record<string, string>][] = [
  ['/', '/', {}],
  ['/2', '/2', {}],
  ['/2/instances', '/2/instances', {}],
  ['/2/instances-multi-alloc', '/2/instances-multi-alloc', {}],
  ['/2/instances/a', '/2/instances/{instance_name}', { instance_name: 'a' }],
  ['/2/instances/inst1.example.com', '/2/instances/{instance_name}', { instance_name: 'inst1.example.com' }],
  ['/2/instances/A_b-9.', '/2/instances/{instance_name}', { instance_name: 'A_b-9.' }],
  ['/2/instances/__proto__', '/2/instances/{instance_name}', { instance_name: '__proto__' }],
  ['/2/instances/tags/tags', '/2/instances/{instance_name}/tags', { instance_name: 'tags' }],
  [
    '/2/instances/a/disk/0/grow',
    '/2/instances/{instance_name}/disk/{disk}/grow',
    { instance_name: 'a', disk: '0' },
  ],
  ['/2/jobs/007/wait', '/2/jobs/{job_id}/wait', { job_id: '007' }],
]

t.test('a path finds its resource, and the names in it', async (t) => {
  for (const [url, path, params] of found) {
    const match = router(url)
    t.equal(match?.resource.path, path, url)
    t.strictSame(match?.params, params, url)
  }
})

const lost = [
  '',
  '*',
  '2',
  '//',
  '/2/',
  '//2',
  '/2//instances',
  '/2/instances/',
  '/2/Instances',
  '/2/instances/a/',
  '/2/instances/a/nope',
  '/2/instances/a%2eb',
  '/2/instances/a%2Ftags',
  '/2/instances/a:b',
  '/2/instances/a b',
  '/2/instances/caf\u00e9',
  '/2/instances/a#b',
  '/2/../2',
  '/2/jobs/abc',
  '/2/jobs/-1',
  '/2/jobs/1.5',
  '/2/jobs/\u0661',
  '/2/instances/a/disk/x/grow',
  'http://localhost/2',
  '/2/instances/{instance_name}/nope',
]

t.test('a path that does not match exactly finds nothing', async (t) => {
  for (const url of lost) t.equal(router(url), undefined, url)
})

const ambiguous: [string, string][] = [
  ['/2/info', '/2/info'],
  ['/2/jobs/{job_id}', '/2/jobs/0'],
  ['/2/nodes/{node_name}', '/2/nodes/all'],
  ['/2/nodes/{node_name}', '/2/nodes/{other}'],
  ['/2/jobs/{job_id}', '/2/jobs/{name}'],
  ['/a/{x}/b', '/a/b/{y}'],
]

t.test('a table in which two paths fit one URL is refused', async (t) => {
  for (const [one, other] of ambiguous) {
    t.throws(() => createRouter(table(one, other)), {
      message: `Two resources for one URL: ${one} and ${other}`,
    })
    t.throws(() => createRouter(table(other, '/x', one)), /Two resources/)
  }
})

t.test('paths with a common beginning, or different patterns of names, are distinguished', async (t) => {
  const router = createRouter(table('/2/jobs/{job_id}', '/2/jobs/all', '/a/x/b', '/a/{name}/c'))
  t.equal(router('/2/jobs/all')?.resource.path, '/2/jobs/all')
  t.equal(router('/2/jobs/12')?.resource.path, '/2/jobs/{job_id}')
  t.equal(router('/a/x/c')?.resource.path, '/a/{name}/c')
  t.equal(router('/a/x/b')?.resource.path, '/a/x/b')
})

t.test('the table we serve is not ambiguous, and every path in it is found', async (t) => {
  const router = createRouter(resources)
  for (const { path } of resources) {
    const url = path
      .replaceAll('{job_id}', '1')
      .replaceAll('{disk}', '0')
      .replaceAll(/\{\w+\}/g, 'a.b-c_1')
    t.equal(router(url)?.resource.path, path, url)
  }
})
