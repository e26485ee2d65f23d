import { join } from 'node:path'
import t from 'tap'
import { findPort, servicePort } from '../../lib/daemon/services.ts'

const cases: [text: string, port: number | undefined, claim: string][] = [
  ['ganeti-rapi 5081/tcp', 5081, 'a plain entry'],
  ['ganeti-rapi\t\t5081/tcp\r\n', 5081, 'tabs and a carriage return'],
  ['  ganeti-rapi 5081/tcp # the API', 5081, 'leading spaces, a comment'],
  ['rapi 5081/tcp api ganeti-rapi', 5081, 'an alias'],
  ['ganeti-rapi 5082/udp\nganeti-rapi 5081/tcp', 5081, 'the entry of the protocol'],
  ['ganeti-rapi 5081/tcp\nganeti-rapi 5082/tcp', 5081, 'the first of two'],
  ['ganeti-rapi\nganeti-rapi x/tcp\nganeti-rapi 0/tcp\nganeti-rapi 5081/tcp', 5081, 'after broken ones'],
  ['ganeti-rapi 5082/udp', undefined, 'not the other protocol'],
  ['#ganeti-rapi 5081/tcp', undefined, 'not a comment'],
  ['rapi 5081/tcp # ganeti-rapi', undefined, 'not a name in a comment'],
  ['ganeti-rapi2 5081/tcp\nmy-ganeti-rapi 5082/tcp', undefined, 'not a name that only contains it'],
  ['ganeti-rapi 65536/tcp\nganeti-rapi 1x/tcp\nganeti-rapi 1/tcpx', undefined, 'not a wrong number'],
  ['', undefined, 'nothing in an empty file'],
]

t.test('a service is found by name or alias and protocol', (t) => {
  for (const [text, port, claim] of cases) t.equal(findPort(text, 'ganeti-rapi', 'tcp'), port, claim)
  t.end()
})

t.test('the database is read from its file; without a file there are no services', (t) => {
  const dir = t.testdir({ services: 'http 80/tcp www\nganeti-rapi 5081/tcp\n' })
  t.equal(servicePort('www', 'tcp', join(dir, 'services')), 80)
  t.equal(servicePort('www', 'tcp', join(dir, 'missing')), undefined)
  t.equal(servicePort('www', 'tcp', dir), undefined)
  t.end()
})
