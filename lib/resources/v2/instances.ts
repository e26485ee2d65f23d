import { toChange, toRead } from '../../auth/permissions.ts'
import { Failure } from '../../failure.ts'
import { isJsonObject, type JsonObject } from '../../json/json.ts'
import { either, integer, listOf as listOfChecks, string } from '../../model/check.ts'
import { BE_TYPES } from '../../model/defaults.ts'
import { fillOpcode } from '../../model/opcode.ts'
import {
  OP_BACKUP_EXPORT,
  OP_BACKUP_PREPARE,
  OP_BACKUP_REMOVE,
  OP_INSTANCE_CREATE,
  OP_INSTANCE_FAILOVER,
  OP_INSTANCE_MIGRATE,
  OP_INSTANCE_MULTI_ALLOC,
  OP_INSTANCE_QUERY_DATA,
  OP_INSTANCE_REBOOT,
  OP_INSTANCE_REINSTALL,
  OP_INSTANCE_REMOVE,
  OP_INSTANCE_RENAME,
  OP_INSTANCE_SET_PARAMS,
  OP_INSTANCE_SHUTDOWN,
  OP_INSTANCE_STARTUP,
} from '../../model/opcodes/instance.ts'
import type { Version } from '../../model/version.ts'
import { objectOf, paramsSchema } from '../answer-schemas.ts'
import { expectType } from '../expect-type.ts'
import { bodySchema, dependsIn, noBody, type ObjectSchema, parametersIn, wholeBody } from '../job-body.ts'
import { flagSchema, guarded, resource } from '../resource.ts'
import { onlyRow } from '../rows.ts'
import {
  constant,
  dryRunIn,
  dryRunParameter,
  flag,
  force,
  jobMethod,
  opcodeOf,
  path,
  reasonParameter,
  reasonTrail,
  type Source,
  submit,
  text,
} from '../submit.ts'
import { type Collection, listOf, oneOf } from './collection.ts'
import { instanceDisks } from './instance-disks.ts'
import { creation, reinstallation, reinstallationSchema, withUsbDevices } from './instance-requests.ts'
import { tagMethods } from './tags.ts'

const collection: Collection = {
  path: '/2/instances',
  permissions: 'instances',
  singular: 'instance',
  plural: 'instances',
  id: 'Instance',
  idKey: 'id',
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
    ['3.1', 'custom_osparams'],
    ['3.2', 'hypervisor'],
    'ctime',
    'mtime',
    'uuid',
    'serial_no',
    'tags',
  ],
  query: (backend, ...args) => backend.queryInstances(...args),
  // Old clients use `beparams.memory`, which was replaced by `maxmem`.
  replace: ({ beparams }) =>
    isJsonObject(beparams) ? { beparams: { ...beparams, memory: beparams.maxmem ?? null } } : {},
  replaced: {
    beparams: {
      ...paramsSchema({ ...BE_TYPES, memory: 'size' }),
      description: 'All backend parameters in effect; `memory` is what `maxmem` was before.',
    },
  },
}

const instance_name = path('instance_name')
const noRemember = flag('no_remember', 'If not 0, the state that the instance should have stays as it was.')

const CREATION_RENAMES = { os: 'os_type', name: 'instance_name' } as const

const list = resource('/2/instances', 'The instances of the cluster.', {
  GET: listOf(collection),
  POST: submit(OP_INSTANCE_CREATE, {
    operationId: 'CreateInstance',
    need: toChange('instances.create'),
    doc: 'Creates an instance; `__version__` in the body must be 1.',
    operation: 'instances',
    dryRun: 'fixed',
    body: creation,
    renames: CREATION_RENAMES,
    example: {
      body: {
        __version__: 1,
        mode: 'create',
        instance_name: 'shop.example.com',
        os_type: 'debian+bookworm',
        pnode: 'node1.example.com',
        disk_template: 'plain',
        disks: [{ size: 2048 }],
        nics: [{ network: 'front', ip: 'pool' }],
        beparams: { minmem: 512, maxmem: 512, vcpus: 2 },
        name_check: false,
        ip_check: false,
      },
    },
  }),
})

const multiAlloc = resource('/2/instances-multi-alloc', 'Many instances at once.', {
  POST: submit(OP_INSTANCE_MULTI_ALLOC, {
    operationId: 'InstancesMultiAlloc',
    need: toChange('instances.multi_alloc'),
    doc: 'Finds room for several instances and creates them.',
    operation: 'instances_multi_alloc',
    dryRun: 'fixed',
    body: {
      read: (call, version) => allocations(parametersIn(call), version),
      describe: (own) => ({ schema: manyCreations(own), required: true }),
    },
    example: {
      body: {
        iallocator: 'hail',
        instances: ['one.example.com', 'two.example.com'].map((instance_name) => ({
          mode: 'create',
          instance_name,
          os_type: 'debian-etch',
          disk_template: 'plain',
          disks: [{ size: 1024 }],
          nics: [{}],
          name_check: false,
          ip_check: false,
        })),
      },
    },
  }),
})

/** A request for several instances, each as a complete opcode: the master daemon does not add defaults to these. */
function allocations(request: JsonObject, version: Version): JsonObject {
  const { instances } = request
  if (instances === undefined) {
    throw new Failure('invalid', "Request is missing required 'instances' field in body")
  }
  const creations = expectType(instances, 'list', "'instances' parameter").map((instance) => {
    const said = parametersIn({ body: instance })
    return fillOpcode(
      OP_INSTANCE_CREATE,
      opcodeOf(OP_INSTANCE_CREATE, version, said, {}, CREATION_RENAMES),
      version,
    )
  })
  return { ...request, instances: creations }
}

/** The schema of such a request. */
function manyCreations(own: ObjectSchema): ObjectSchema {
  const instances = {
    ...own.properties.instances,
    items: bodySchema(OP_INSTANCE_CREATE, [], CREATION_RENAMES),
  }
  return { ...own, properties: { ...own.properties, instances }, required: ['instances'] }
}

const one = resource('/2/instances/{instance_name}', 'One instance.', {
  GET: oneOf(collection, 'instance_name'),
  DELETE: submit(OP_INSTANCE_REMOVE, {
    operationId: 'DeleteInstance',
    need: toChange('instances.remove'),
    doc: 'Removes an instance and its disks.',
    operation: 'instances_name',
    dryRun: 'fixed',
    fixed: { instance_name, ignore_failures: constant(false) },
    example: { names: { instance_name: 'router.example.com' } },
  }),
})

const onlyThisInstance: Source<'instance_name'> = {
  ...instance_name,
  valueIn: ({ params }) => [params.instance_name],
}

const info = resource('/2/instances/{instance_name}/info', 'Run-time details of an instance.', {
  GET: submit(OP_INSTANCE_QUERY_DATA, {
    operationId: 'GetInstanceInfo',
    need: toRead('instances.info'),
    doc: 'Asks the nodes about an instance, which will be the result of the job.',
    operation: 'instances_name_info',
    dryRun: 'ignored',
    fixed: {
      instances: onlyThisInstance,
      static: flag('static', 'If not 0, only what is in the configuration.'),
    },
    body: noBody,
    example: {},
  }),
})

const consoleSchema = objectOf(
  'Console',
  { instance: string.schema, kind: { enum: ['msg', 'spice', 'ssh', 'vnc'] } },
  {
    message: { ...string.schema, description: 'Why there is none, or what to do.' },
    host: string.schema,
    port: integer.schema,
    user: { ...string.schema, description: 'The user of the host to connect as.' },
    command: { ...either(string, listOfChecks(string)).schema, description: 'What to run there.' },
    display: { ...integer.schema, description: 'Number of the VNC display.' },
  },
)

const console = resource('/2/instances/{instance_name}/console', 'How to reach the console of an instance.', {
  GET: guarded(
    { permissions: ['instances.query.console'], access: ['write', 'read'] },
    'Gives kind, host, port and the like of the console of a running instance.',
    async ({ backend, params }) => {
      const row = onlyRow(await backend.queryInstances([params.instance_name], ['oper_state', 'console']))
      const [running, connection] = row
      if (running !== true || connection === null || connection === undefined) {
        throw new Failure('unavailable', 'Instance console unavailable')
      }
      return connection
    },
    { operationId: 'GetInstanceConsole', answer: consoleSchema, example: {} },
  ),
})

const startup = resource('/2/instances/{instance_name}/startup', 'Starting an instance.', {
  PUT: submit(OP_INSTANCE_STARTUP, {
    operationId: 'StartupInstance',
    need: toChange('instances.startup'),
    doc: 'Starts an instance.',
    operation: 'instances_name_startup',
    dryRun: 'fixed',
    fixed: { instance_name, force, no_remember: noRemember },
    body: noBody,
    example: { names: { instance_name: 'windows.example.com' } },
  }),
})

const shutdown = resource('/2/instances/{instance_name}/shutdown', 'Stopping an instance.', {
  PUT: submit(OP_INSTANCE_SHUTDOWN, {
    operationId: 'ShutdownInstance',
    need: toChange('instances.shutdown'),
    doc: 'Shuts an instance down.',
    operation: 'instances_name_shutdown',
    dryRun: 'fixed',
    fixed: { instance_name, no_remember: noRemember },
    example: { names: { instance_name: 'db.example.com' }, body: { timeout: 60 } },
  }),
})

const reboot = resource('/2/instances/{instance_name}/reboot', 'Restarting an instance.', {
  POST: submit(OP_INSTANCE_REBOOT, {
    operationId: 'RebootInstance',
    need: toChange('instances.reboot'),
    doc: 'Restarts an instance.',
    operation: 'instances_name_reboot',
    dryRun: 'fixed',
    fixed: {
      instance_name,
      reboot_type: text('type', 'How: soft, hard (unless said) or full.', 'hard'),
      ignore_secondaries: flag('ignore_secondaries', 'If not 0, secondary nodes may fail.'),
    },
    example: { query: 'type=hard' },
  }),
})

const modify = resource('/2/instances/{instance_name}/modify', 'Parameters of an instance.', {
  PUT: submit(OP_INSTANCE_SET_PARAMS, {
    operationId: 'ModifyInstance',
    need: toChange('instances.modify'),
    doc: 'Changes parameters, disks and network cards of an instance.',
    operation: 'instances_name_modify',
    fixed: { instance_name },
    body: { ...wholeBody, read: (call) => withUsbDevices(parametersIn(call)) },
    renames: { custom_beparams: 'beparams', custom_hvparams: 'hvparams' },
    example: {
      names: { instance_name: 'mail.example.com' },
      body: { beparams: { vcpus: 4 }, disks: [['add', -1, { size: 1024, name: 'scratch' }]] },
    },
  }),
})

const rename = resource('/2/instances/{instance_name}/rename', 'Name of an instance.', {
  PUT: submit(OP_INSTANCE_RENAME, {
    operationId: 'RenameInstance',
    need: toChange('instances.rename'),
    doc: 'Gives an instance another name.',
    operation: 'instances_name_rename',
    fixed: { instance_name },
    example: {
      names: { instance_name: 'retired.example.com' },
      body: { new_name: 'attic.example.com', name_check: false, ip_check: false },
    },
  }),
})

const reinstall = resource('/2/instances/{instance_name}/reinstall', 'Operating system of an instance.', {
  POST: jobMethod({
    operationId: 'ReinstallInstance',
    need: toChange('instances.reinstall'),
    doc: 'Installs the operating system of an instance again, or another; a query string takes the place of a body.',
    opcodes: [OP_INSTANCE_SHUTDOWN, OP_INSTANCE_REINSTALL, OP_INSTANCE_STARTUP],
    parameters: [
      {
        name: 'os',
        doc: 'Which operating system to install; unless said, the one it has.',
        schema: { type: 'string' },
      },
      { name: 'nostartup', doc: 'If not 0, the instance stays down.', schema: flagSchema },
      dryRunParameter,
      reasonParameter,
    ],
    body: { schema: reinstallationSchema, required: false },
    example: {
      names: { instance_name: 'build.example.com' },
      body: { os: 'debian+bookworm', osparams: { mirror: 'http://deb.example.com/debian' }, start: false },
    },
    job: (call, version) => {
      const { params, query, body, requester } = call
      const { instance_name } = params
      const { os_type, osparams, start } = reinstallation(body, query)
      const fixed = {
        instance_name,
        ...dryRunIn(query, 'if asked'),
        // Ganeti leaves the reason trail of these opcodes empty, and drops the requester's reason.
        ...((query.first('reason') !== undefined || requester) && {
          reason: reasonTrail('instances_name_reinstall', call),
        }),
      }
      const said = dependsIn(body)
      return [
        opcodeOf(OP_INSTANCE_SHUTDOWN, version, said, fixed),
        opcodeOf(OP_INSTANCE_REINSTALL, version, said, { ...fixed, os_type, osparams }),
        ...(start ? [opcodeOf(OP_INSTANCE_STARTUP, version, said, fixed)] : []),
      ]
    },
  }),
})

const migrate = resource('/2/instances/{instance_name}/migrate', 'Migration of an instance.', {
  PUT: submit(OP_INSTANCE_MIGRATE, {
    operationId: 'MigrateInstance',
    need: toChange('instances.migrate'),
    doc: 'Moves an instance to another node while it runs.',
    operation: 'instances_name_migrate',
    fixed: { instance_name },
    example: { body: { mode: 'live', allow_failover: true } },
  }),
})

const failover = resource('/2/instances/{instance_name}/failover', 'Failover of an instance.', {
  PUT: submit(OP_INSTANCE_FAILOVER, {
    operationId: 'FailoverInstance',
    need: toChange('instances.failover'),
    doc: 'Stops an instance and starts it on another node.',
    operation: 'instances_name_failover',
    fixed: { instance_name },
    example: { body: { ignore_consistency: false, shutdown_timeout: 60 } },
  }),
})

const prepareExport = resource('/2/instances/{instance_name}/prepare-export', 'Preparation of an export.', {
  PUT: submit(OP_BACKUP_PREPARE, {
    operationId: 'PrepareExport',
    need: toChange('instances.export.prepare'),
    doc: 'Prepares the export of an instance; the result of the job is for the export itself.',
    operation: 'instances_name_prepare_export',
    fixed: { instance_name, mode: text('mode', 'Where it will go: local or remote.') },
    body: noBody,
    example: { query: 'mode=local' },
  }),
})

const exportResource = resource('/2/instances/{instance_name}/export', 'Export of an instance.', {
  PUT: submit(OP_BACKUP_EXPORT, {
    operationId: 'ExportInstance',
    need: toChange('instances.export.create'),
    doc: 'Exports an instance to a node or to another cluster.',
    operation: 'instances_name_export',
    fixed: { instance_name },
    renames: { destination: 'target_node' },
    example: { body: { target_node: 'node2.example.com', shutdown: true } },
  }),
  DELETE: submit(OP_BACKUP_REMOVE, {
    operationId: 'DeleteExport',
    need: toChange('instances.export.remove'),
    doc: 'Removes the export of an instance.',
    since: '3.2',
    operation: 'instances_name_export',
    fixed: { instance_name },
    example: {},
  }),
})

const tags = resource(
  '/2/instances/{instance_name}/tags',
  'Tags of an instance.',
  tagMethods('Instance', 'instance', 'the instance', 'instances_name_tags', instance_name),
)

export const instances = [
  list,
  multiAlloc,
  one,
  info,
  console,
  startup,
  shutdown,
  reboot,
  modify,
  rename,
  reinstall,
  migrate,
  failover,
  ...instanceDisks,
  prepareExport,
  exportResource,
  tags,
]
