import t from 'tap'
import { find, read, SMALL, sample } from '../../../../support/yaml-clusters.ts'

t.test('what is free on a node is what its instances leave', async (t) => {
  const { live, nodes } = read(sample)
  const of = (name: string) => live.get(find(nodes, name).uuid)
  t.match(of('node1.example.com'), {
    mtotal: 32763,
    mnode: 1024,
    mfree: 32763 - 1024 - 512,
    dtotal: 5246208,
    // Two disks of web and mail each, with DRBD's notes, and windows, which has its disk though it is down.
    dfree: 5246208 - (20480 + 4096 + 10240 + 204800 + 4 * 128) - 61440,
    ctotal: 8,
    csockets: 2,
    cnodes: 2,
    cnos: 2,
    sptotal: null,
    spfree: null,
  })
  t.match(of('node3.example.com'), { mfree: 65531 - 1024 - 8192 }, 'an instance may grow to its most')
  t.match(of('node4.example.com'), { mnode: 0, mfree: 16384 - 256, cnos: 0, sptotal: 4, spfree: 4 })
  t.equal(of('node5.example.com'), undefined, 'an offline node says nothing')
})

t.test('a node of which nothing is said reports nothing', async (t) => {
  const [live] = read(`${SMALL}instances: {a: {pnode: n1, disks: [1g]}}`).live.values()
  const { bootid, ...values } = live ?? {}
  t.match(bootid, /^[\da-f-]{36}$/)
  t.strictSame(new Set(Object.values(values)), new Set([null]))
})

t.test('storage that is not on a node takes nothing of it', async (t) => {
  const text = (template: string, more = '') =>
    `cluster: {name: c}\nnodes: {n1: {disk: 10g}}\ninstances: {a: {pnode: n1, disk_template: ${template}, disks: [{size: 1g${more}}]}}`
  const cases: [text: string, free: number][] = [
    [text('plain'), 9216],
    [text('file'), 9216],
    [text('sharedfile'), 10240],
    [text('rbd'), 10240],
    [text('gluster'), 10240],
    [text('blockdev', ', adopt: /dev/disk/by-id/x'), 10240],
    [text('ext', ', provider: pv'), 10240],
  ]
  for (const [text, free] of cases) {
    const [live] = read(text).live.values()
    t.equal(live?.dfree, free, text)
  }
})

t.test('more memory at the most than there is may be promised', async (t) => {
  const text =
    'cluster: {name: c}\nnodes: {n1: {memory: 1g}}\ninstances: {a: {pnode: n1, beparams: {minmem: 1g, maxmem: 4g}}}'
  const [live] = read(text).live.values()
  t.equal(live?.mfree, 0)
})
