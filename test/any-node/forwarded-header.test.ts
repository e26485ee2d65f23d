import t from 'tap'
import { clientBehind, forwardedHeader } from '../../lib/any-node/forwarded-header.ts'

const role = { addresses: new Set(['192.0.2.1', '2001:db8::1']) }

t.test('a node is believed for whom it forwards', async (t) => {
  for (const [peer, network] of [
    ['198.51.100.7:40312', '198.51.100.7'],
    ['[2001:db8:1:2:3::4]:40312', '2001:db8:1:2'],
  ] as const) {
    const header = forwardedHeader(peer, { self: 'node2.example.com' })
    for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8::1']) {
      t.strictSame(clientBehind(address, header, role), { peer, network }, `${peer} behind ${address}`)
    }
  }
})

t.test('others are not, nor is what no node sends', async (t) => {
  const header = forwardedHeader('198.51.100.7:40312', { self: 'node2.example.com' })
  t.equal(clientBehind('192.0.2.9', header, role), undefined, 'another address')
  t.equal(clientBehind('', header, role), undefined, 'a connection that is closed already')
  t.equal(clientBehind('192.0.2.1', undefined, role), undefined, 'a request of the node itself')
  for (const wrong of [
    '',
    'for=198.51.100.7;by=node2',
    'for=999.51.100.7:1;by=node2',
    'for=name:1;by=node2',
    'for=[::1:1;by=node2',
    'for=198.51.100.7:1;by=a b',
    `${header}, ${header}`,
  ]) {
    t.equal(clientBehind('192.0.2.1', wrong, role), undefined, wrong)
  }
})
