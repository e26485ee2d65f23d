import { Failure } from '../../failure.ts'
import { isJsonObject } from '../../json.ts'
import { guarded, live, resource } from '../resource.ts'
import { onlyRow } from '../rows.ts'
import { type Collection, listOf, oneOf, tagsOf } from './collection.ts'

const collection: Collection = {
  path: '/2/instances',
  singular: 'instance',
  plural: 'instances',
  idKey: 'id',
  tagKind: 'instance',
  fields: [
    'name',
    'admin_state',
    'os',
    'pnode',
    'snodes',
    'disk_template',
    'nic.ips',
    'nic.macs',
    'nic.modes',
    'nic.uuids',
    'nic.names',
    'nic.links',
    'nic.networks',
    'nic.networks.names',
    'nic.bridges',
    'network_port',
    'disk.sizes',
    'disk.spindles',
    'disk_usage',
    'disk.uuids',
    'disk.names',
    'beparams',
    'hvparams',
    'oper_state',
    'oper_ram',
    'oper_vcpus',
    'status',
    'custom_hvparams',
    'custom_beparams',
    'custom_nicparams',
    'ctime',
    'mtime',
    'uuid',
    'serial_no',
    'tags',
  ],
  query: (backend, names, fields) => backend.queryInstances(names, fields),
  // Clients older than ballooning look for `beparams.memory`, which `maxmem` replaced.
  extra: ({ beparams }) =>
    isJsonObject(beparams) ? { beparams: { ...beparams, memory: beparams.maxmem ?? null } } : {},
}

const info = resource('/2/instances/{instance_name}/info', 'Run-time details of an instance.', {
  GET: live(
    [],
    'Asks the nodes about an instance; answers with the id of the job whose result tells.',
    ({ backend, params, query }) =>
      backend.submitJob([
        { OP_ID: 'OP_INSTANCE_QUERY_DATA', instances: [params.instance_name], static: query.flag('static') },
      ]),
    [{ name: 'static', doc: 'If not 0, only what is in the configuration.' }],
  ),
})

const console = resource('/2/instances/{instance_name}/console', 'How to reach the console of an instance.', {
  GET: guarded(
    ['write', 'read'],
    'Gives kind, host, port and the like of the console of a running instance.',
    async ({ backend, params }) => {
      const row = onlyRow(await backend.queryInstances([params.instance_name], ['oper_state', 'console']))
      const [running, connection] = row
      if (running !== true || connection === null || connection === undefined) {
        throw new Failure('unavailable', 'Instance console unavailable')
      }
      return connection
    },
  ),
})

export const instances = [
  resource('/2/instances', 'The instances of the cluster.', { GET: listOf(collection) }),
  resource('/2/instances/{instance_name}', 'One instance.', { GET: oneOf(collection, 'instance_name') }),
  info,
  console,
  resource('/2/instances/{instance_name}/tags', 'Tags of an instance.', {
    GET: tagsOf(collection, 'instance_name'),
  }),
]
