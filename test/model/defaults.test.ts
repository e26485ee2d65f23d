import { readFileSync } from 'node:fs'
import t from 'tap'
import * as defaults from '../../lib/model/defaults.ts'

const { cluster } = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/real-cluster/config.data', import.meta.url), 'utf8'),
)

/** The value that a type lets through. */
const FITS: { readonly [type in defaults.ParamType]: (value: unknown) => boolean } = {
  bool: (value) => typeof value === 'boolean',
  float: (value) => typeof value === 'number',
  int: Number.isInteger,
  size: Number.isInteger,
  string: (value) => typeof value === 'string',
  'maybe-string': (value) => typeof value === 'string' || value === null,
}

t.test('each default is of the type that its name has', async (t) => {
  const sets: [types: defaults.ParamTypes, params: object][] = [
    [defaults.BE_TYPES, defaults.BE_DEFAULTS],
    [defaults.ND_TYPES, defaults.ND_DEFAULTS],
    ...Object.values(defaults.HV_DEFAULTS).map((one): [defaults.ParamTypes, object] => [
      defaults.HV_TYPES,
      one,
    ]),
    ...Object.values(defaults.DISK_DEFAULTS).map((one): [defaults.ParamTypes, object] => [
      defaults.DISK_TYPES,
      one,
    ]),
  ]
  for (const [types, params] of sets) {
    for (const [name, value] of Object.entries(params)) {
      const type = types[name]
      t.ok(type && FITS[type](value), `${name} is ${type}`)
    }
  }
})

t.test('a real cluster has just the parameters that we know', async (t) => {
  const names = (params: object) => Object.keys(params).sort()
  const same = (real: object, ours: object, title: string) => t.strictSame(names(ours), names(real), title)
  same(cluster.hvparams, defaults.HV_DEFAULTS, 'hypervisors')
  for (const [hypervisor, params] of Object.entries(defaults.HV_DEFAULTS)) {
    same(cluster.hvparams[hypervisor], params, hypervisor)
  }
  same(cluster.diskparams, defaults.DISK_DEFAULTS, 'disk templates')
  for (const [template, params] of Object.entries(defaults.DISK_DEFAULTS)) {
    same(cluster.diskparams[template], params, template)
  }
  same(cluster.beparams.default, defaults.BE_DEFAULTS, 'backend parameters')
  same(cluster.ndparams, defaults.ND_DEFAULTS, 'node parameters')
  same(cluster.nicparams.default, defaults.NIC_DEFAULTS, 'parameters of NICs')
  same(cluster.ipolicy, defaults.IPOLICY_DEFAULTS, 'instance policy')
  same(
    cluster.data_collectors,
    Object.fromEntries(defaults.DATA_COLLECTORS.map((name) => [name, 0])),
    'collectors',
  )
})

t.test('lists of names agree with the tables', async (t) => {
  t.strictSame([...defaults.HYPERVISORS].sort(), Object.keys(defaults.HV_DEFAULTS).sort())
  t.strictSame([...defaults.DISK_TEMPLATES].sort(), Object.keys(defaults.DISK_DEFAULTS).sort())
  t.strictSame([...defaults.DISK_TEMPLATE_PREFERENCE].sort(), [...defaults.DISK_TEMPLATES].sort())
  t.strictSame([...defaults.IPOLICY_DEFAULTS['disk-templates']].sort(), [...defaults.DISK_TEMPLATES].sort())
})
