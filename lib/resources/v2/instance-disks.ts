/** The disks of an instance. */
import { toChange } from '../../auth/permissions.ts'
import {
  OP_INSTANCE_ACTIVATE_DISKS,
  OP_INSTANCE_DEACTIVATE_DISKS,
  OP_INSTANCE_GROW_DISK,
  OP_INSTANCE_RECREATE_DISKS,
  OP_INSTANCE_REPLACE_DISKS,
} from '../../model/opcodes/instance.ts'
import { replacementMode } from '../../model/opcodes/values.ts'
import { noBody } from '../job-body.ts'
import { resource } from '../resource.ts'
import { flag, force, path, type Source, submit } from '../submit.ts'
import { listOfNumbers, replacement } from './instance-requests.ts'

const instance_name = path('instance_name')
const diskNumber: Source<'disk'> = { ...path('disk'), valueIn: ({ params }) => Number(params.disk) }

const activateDisks = resource('/2/instances/{instance_name}/activate-disks', 'Disks in use.', {
  PUT: submit(OP_INSTANCE_ACTIVATE_DISKS, {
    operationId: 'ActivateInstanceDisks',
    need: toChange('instances.activate_disks'),
    doc: 'Makes the disks of an instance ready for use on its nodes.',
    operation: 'instances_name_activate_disks',
    fixed: {
      instance_name,
      ignore_size: flag('ignore_size', 'If not 0, disks may have another size than is recorded.'),
    },
    body: noBody,
    example: { names: { instance_name: 'build.example.com' } },
  }),
})

const deactivateDisks = resource('/2/instances/{instance_name}/deactivate-disks', 'Disks out of use.', {
  PUT: submit(OP_INSTANCE_DEACTIVATE_DISKS, {
    operationId: 'DeactivateInstanceDisks',
    need: toChange('instances.deactivate_disks'),
    doc: 'Takes the disks of an instance out of use.',
    operation: 'instances_name_deactivate_disks',
    fixed: { instance_name, force },
    body: noBody,
    example: { names: { instance_name: 'build.example.com' } },
  }),
})

const recreateDisks = resource('/2/instances/{instance_name}/recreate-disks', 'Lost disks.', {
  POST: submit(OP_INSTANCE_RECREATE_DISKS, {
    operationId: 'RecreateInstanceDisks',
    need: toChange('instances.recreate_disks'),
    doc: 'Makes disks that were lost again, empty.',
    operation: 'instances_name_recreate_disks',
    fixed: { instance_name },
    example: {
      names: { instance_name: 'build.example.com' },
      body: { disks: [0] },
    },
  }),
})

const replaceDisks = resource('/2/instances/{instance_name}/replace-disks', 'Mirrors of disks.', {
  POST: submit(OP_INSTANCE_REPLACE_DISKS, {
    operationId: 'ReplaceInstanceDisks',
    need: toChange('instances.replace_disks'),
    doc: 'Replaces the mirrors of disks; parameters in the query string take the place of a body.',
    operation: 'instances_name_replace_disks',
    fixed: { instance_name },
    parameters: [
      { name: 'mode', doc: 'Which mirrors to replace.', schema: replacementMode.schema },
      {
        name: 'disks',
        doc: 'Numbers of disks, separated by commas; all, if absent.',
        schema: listOfNumbers.schema,
      },
      { name: 'remote_node', doc: 'The new secondary node.', schema: { type: 'string' } },
      {
        name: 'iallocator',
        doc: 'Which instance allocator chooses the new secondary node.',
        schema: { type: 'string' },
      },
    ],
    body: replacement,
    example: { body: { mode: 'replace_new_secondary', remote_node: 'node3.example.com' } },
  }),
})

const growDisk = resource('/2/instances/{instance_name}/disk/{disk}/grow', 'Size of a disk.', {
  POST: submit(OP_INSTANCE_GROW_DISK, {
    operationId: 'GrowInstanceDisk',
    need: toChange('instances.grow_disk'),
    doc: 'Makes a disk larger.',
    operation: 'instances_name_disk_grow',
    fixed: { instance_name, disk: diskNumber },
    example: { body: { amount: 1024 } },
  }),
})

export const instanceDisks = [activateDisks, deactivateDisks, recreateDisks, replaceDisks, growDisk]
