import t from 'tap'
import type { Json } from '../../lib/json/json.ts'
import { summaryOf } from '../../lib/model/job.ts'
import type { Opcode } from '../../lib/model/opcode.ts'
import * as cluster from '../../lib/model/opcodes/cluster.ts'
import * as group from '../../lib/model/opcodes/group.ts'
import * as instance from '../../lib/model/opcodes/instance.ts'
import * as network from '../../lib/model/opcodes/network.ts'
import * as node from '../../lib/model/opcodes/node.ts'

/** What Ganeti 3.0.2 and 3.1.0~rc2 name in each opcode's summary (OP_DSC_FIELD); null: nothing. */
const NAMED: { readonly [id: string]: string | null } = {
  OP_BACKUP_EXPORT: 'instance_name',
  OP_BACKUP_PREPARE: 'instance_name',
  OP_BACKUP_REMOVE: 'instance_name',
  OP_CLUSTER_QUERY: null,
  OP_CLUSTER_REDIST_CONF: null,
  OP_CLUSTER_SET_PARAMS: null,
  OP_GROUP_ADD: 'group_name',
  OP_GROUP_ASSIGN_NODES: 'group_name',
  OP_GROUP_REMOVE: 'group_name',
  OP_GROUP_RENAME: null,
  OP_GROUP_SET_PARAMS: 'group_name',
  OP_INSTANCE_ACTIVATE_DISKS: 'instance_name',
  OP_INSTANCE_CONSOLE: 'instance_name',
  OP_INSTANCE_CREATE: 'instance_name',
  OP_INSTANCE_DEACTIVATE_DISKS: 'instance_name',
  OP_INSTANCE_FAILOVER: 'instance_name',
  OP_INSTANCE_GROW_DISK: 'instance_name',
  OP_INSTANCE_MIGRATE: 'instance_name',
  OP_INSTANCE_MULTI_ALLOC: null,
  OP_INSTANCE_QUERY_DATA: null,
  OP_INSTANCE_REBOOT: 'instance_name',
  OP_INSTANCE_RECREATE_DISKS: 'instance_name',
  OP_INSTANCE_REINSTALL: 'instance_name',
  OP_INSTANCE_REMOVE: 'instance_name',
  OP_INSTANCE_RENAME: null,
  OP_INSTANCE_REPLACE_DISKS: 'instance_name',
  OP_INSTANCE_SET_PARAMS: 'instance_name',
  OP_INSTANCE_SHUTDOWN: 'instance_name',
  OP_INSTANCE_STARTUP: 'instance_name',
  OP_NETWORK_ADD: 'network_name',
  OP_NETWORK_CONNECT: 'network_name',
  OP_NETWORK_DISCONNECT: 'network_name',
  OP_NETWORK_REMOVE: 'network_name',
  OP_NETWORK_RENAME: null,
  OP_NETWORK_SET_PARAMS: 'network_name',
  OP_NODE_EVACUATE: 'node_name',
  OP_NODE_MIGRATE: 'node_name',
  OP_NODE_MODIFY_STORAGE: 'node_name',
  OP_NODE_POWERCYCLE: 'node_name',
  OP_NODE_QUERY_STORAGE: null,
  OP_NODE_SET_PARAMS: 'node_name',
  OP_OS_DIAGNOSE: null,
  OP_REPAIR_NODE_STORAGE: 'node_name',
  OP_TAGS_DEL: null,
  OP_TAGS_GET: 'name',
  OP_TAGS_SET: null,
}

function summary(input: { readonly [name: string]: Json }): string {
  const done = { result: null, log: [], priority: 0, start: null, exec: null, end: null }
  return summaryOf({ input, status: 'queued', ...done })
}

t.test("every opcode's summary names what Ganeti's does", async (t) => {
  const opcodes = [cluster, group, instance, network, node].flatMap((table): readonly Opcode[] =>
    Object.values(table).filter((one) => typeof one === 'object' && 'parameters' in one),
  )
  t.ok(opcodes.length > 30)
  for (const { id, parameters } of opcodes) {
    const field = NAMED[id]
    const input = Object.fromEntries(Object.keys(parameters).map((name) => [name, `<${name}>`]))
    const name = id.replace('OP_', '')
    t.equal(summary({ ...input, OP_ID: id }), field === null ? name : `${name}(<${field}>)`, id)
  }
})

t.test('a delay is told as Python writes a number', async (t) => {
  t.equal(summary({ OP_ID: 'OP_TEST_DELAY', duration: 5 }), 'TEST_DELAY(5.0)')
  t.equal(summary({ OP_ID: 'OP_TEST_DELAY', duration: 0.5 }), 'TEST_DELAY(0.5)')
})

t.test('what is not named in an opcode is not in its summary', async (t) => {
  t.equal(summary({ OP_ID: 'OP_BACKUP_PREPARE', instance_name: null }), 'BACKUP_PREPARE')
})
