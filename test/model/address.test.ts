import t from 'tap'
import {
  indexIn,
  parseIpv4Network,
  parseIpv6Network,
  parseMac,
  parseMacPrefix,
  parseRange,
} from '../../lib/model/address.ts'

t.test('an IPv4 network has its first address, and a size that Ganeti takes', async (t) => {
  const cases: [text: string, network: { first: number; size: number } | undefined][] = [
    ['192.0.2.0/24', { first: 0xc0000200, size: 256 }],
    ['10.0.0.0/16', { first: 0x0a000000, size: 65536 }],
    ['192.0.2.4/30', { first: 0xc0000204, size: 4 }],
    ['192.0.2.1/24', undefined],
    ['10.0.0.0/15', undefined],
    ['192.0.2.0/31', undefined],
    ['192.0.2.0', undefined],
    ['192.0.2.0/24/1', undefined],
    ['192.0.2.0/x', undefined],
    ['192.0.2/24', undefined],
    ['2001:db8::/64', undefined],
  ]
  for (const [text, network] of cases) t.strictSame(parseIpv4Network(text), network, text)
})

t.test('addresses are counted from the first of their network', async (t) => {
  const network = { first: 0xc0000200, size: 16 }
  const cases: [address: string, index: number | undefined][] = [
    ['192.0.2.0', 0],
    ['192.0.2.15', 15],
    ['192.0.2.16', undefined],
    ['192.0.1.255', undefined],
    ['::1', undefined],
    ['', undefined],
  ]
  for (const [address, index] of cases) t.equal(indexIn(network, address), index, address)
})

t.test('a range is one address or two', async (t) => {
  const network = { first: 0xc0000200, size: 16 }
  const cases: [text: string, range: [number, number] | undefined][] = [
    ['192.0.2.3', [3, 3]],
    ['192.0.2.3-192.0.2.5', [3, 5]],
    ['192.0.2.3 - 192.0.2.5', [3, 5]],
    ['192.0.2.5-192.0.2.3', undefined],
    ['192.0.2.5-192.0.2.16', undefined],
    ['192.0.2.1-192.0.2.2-192.0.2.3', undefined],
    ['all', undefined],
  ]
  for (const [text, range] of cases) t.strictSame(parseRange(network, text), range, text)
})

t.test('an IPv6 network knows its addresses', async (t) => {
  const holds = parseIpv6Network('2001:db8:1::/48')
  t.equal(holds?.('2001:db8:1:ffff::1'), true)
  t.equal(holds?.('2001:db8:2::1'), false)
  t.equal(holds?.('192.0.2.1'), false)
  for (const text of ['2001:db8::', '2001:db8::/129', '192.0.2.0/24', '2001:db8::/x', '2001:db8::/64/1']) {
    t.equal(parseIpv6Network(text), undefined, text)
  }
})

t.test('MACs are written in lower case', async (t) => {
  t.equal(parseMac('AA:00:00:12:34:5F'), 'aa:00:00:12:34:5f')
  for (const text of [
    'aa:00:00:12:34',
    'aa-00-00-12-34-56',
    'aa:00:00:12:34:5g',
    'aa:00:00:12:34:56:78',
    '',
  ]) {
    t.equal(parseMac(text), undefined, text)
  }
  t.equal(parseMacPrefix('AA:00:00'), 'aa:00:00')
  for (const text of ['aa:00', 'aa:00:00:00', 'aa0000']) t.equal(parseMacPrefix(text), undefined, text)
})
