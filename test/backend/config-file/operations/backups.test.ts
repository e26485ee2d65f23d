/** Exports of instances. */
import t from 'tap'
import { testCases } from '../../../support/operation-cases.ts'

const run = 'OP_BACKUP_EXPORT'
const mirror = { instance_name: 'mirror.example.com', target_node: 'node3.example.com' }
const file = { instance_name: 'file.example.com', target_node: 'node1.example.com' }

t.test('export', async (t) => {
  testCases(t, [
    {
      title: 'a running instance is stopped for a moment, and copied from snapshots',
      run,
      with: mirror,
      result: [true, [true, true]],
      tells: [
        'Shutting down instance mirror.example.com',
        'Creating a snapshot of disk/0 on node node1.example.com',
        'Creating a snapshot of disk/1 on node node1.example.com',
        'Starting instance mirror.example.com',
        'Exporting snapshot/0 from node1.example.com to node3.example.com',
        'snapshot/1 finished sending data',
        'Removing snapshot of disk/1 on node node1.example.com',
        'Finalizing export on node3.example.com',
        'Removing old exports for instance mirror.example.com',
      ],
      unchanged: true,
    },
    {
      title: 'or not even that',
      run,
      with: { ...mirror, shutdown: false },
      result: [true, [true, true]],
      tells: ['Creating a snapshot of disk/0 on node node1.example.com'],
    },
    {
      title: 'one that is down is copied as it is',
      run,
      with: file,
      result: [true, [true]],
      tells: [
        'Activating disks for file.example.com',
        'Finalizing export on node1.example.com',
        'Deactivating disks for file.example.com',
      ],
      unchanged: true,
    },
    {
      title: 'files cannot be copied while somebody writes to them',
      run,
      with: { instance_name: 'shared', target_node: 'node3', shutdown: false },
      refused: [
        'Not all disks could be snapshotted, and you requested a live export; aborting',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'nor within a moment',
      run,
      with: { instance_name: 'shared', target_node: 'node3' },
      refused: [
        'Not all disks could be snapshotted, and you did not allow the instance to remain offline for a longer ' +
          'time through the --long-sleep option; aborting',
        null,
        'OpExecError',
      ],
    },
    {
      title: 'unless there is time',
      run,
      with: { instance_name: 'shared', target_node: 'node3', long_sleep: true },
      tells: ['Finalizing export on node3.example.com', 'Starting instance shared.example.com'],
    },
    {
      title: 'an instance may be removed once it is exported',
      run,
      with: { ...mirror, remove_instance: true },
      result: [true, [true, true]],
      tells: [
        'Finalizing export on node3.example.com',
        'Removing instance mirror.example.com',
        'Removing old exports for instance mirror.example.com',
      ],
      becomes: { mirror: null },
      leaves: [(config) => config.networks.byName.get('front')?.reservations, '00000000'],
    },
    {
      title: 'but not while it runs',
      run,
      with: { ...mirror, remove_instance: true, shutdown: false },
      refused: ['Can not remove instance without shutting it down before', 'wrong_state'],
    },
    {
      title: 'nodes that are drained take no exports',
      run,
      with: { ...mirror, target_node: 'drained.example.com' },
      refused: ["Can't use drained node drained.example.com", 'wrong_state'],
    },
    {
      title: 'nor do those that are away',
      run,
      with: { ...mirror, target_node: 'offline.example.com' },
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'nor do they give any',
      run,
      with: { instance_name: 'away', target_node: 'node1' },
      refused: ["Can't use offline node: offline.example.com", 'wrong_state'],
    },
    {
      title: 'compression must be by a tool that the cluster allows',
      run,
      with: { ...mirror, compress: 'xz' },
      refused: ['Compression tool not allowed, tools allowed are [gzip]', 'wrong_input'],
    },
    {
      title: 'zeroing needs an image to do it with',
      run,
      with: { instance_name: 'shelved', target_node: 'node1', zero_free_space: true },
      refused: ['Instance shutdown detection must be enabled for zeroing to work', 'wrong_input'],
    },
    {
      title: 'its time-outs need zeroing',
      run,
      with: { ...mirror, zeroing_timeout_fixed: 3 },
      refused: [
        'Zeroing timeout options can only be used only with the --zero-free-space option',
        'wrong_input',
      ],
    },
    {
      title: 'another cluster needs a key',
      run,
      with: { ...mirror, mode: 'remote', target_node: [] },
      refused: ['Missing X509 key name for encryption', 'wrong_input'],
    },
    {
      title: 'which nobody can have',
      run,
      with: {
        ...mirror,
        mode: 'remote',
        target_node: [[], []],
        x509_key_name: ['name', 'digest', 'salt'],
        destination_x509_ca: 'a certificate',
      },
      refused: ['HMAC for X509 key name is wrong', 'wrong_input'],
    },
    {
      title: 'a dry run exports nothing',
      run,
      with: { ...mirror, remove_instance: true, dry_run: true },
      unchanged: true,
    },
  ])
})

t.test('prepare and remove', async (t) => {
  testCases(t, [
    {
      title: 'nothing is to be prepared within a cluster',
      run: 'OP_BACKUP_PREPARE',
      with: { instance_name: 'mirror', mode: 'local' },
      result: null,
      unchanged: true,
    },
    {
      title: 'and nothing can be for another',
      run: 'OP_BACKUP_PREPARE',
      with: { instance_name: 'mirror', mode: 'remote' },
      tells: ['Generating X509 certificate on node1.example.com'],
      refused: [/^Can't create X509 key and certificate on node1.example.com: /, null, 'OpExecError'],
    },
    {
      title: 'exports are looked for wherever nodes can be reached',
      run: 'OP_BACKUP_REMOVE',
      with: { instance_name: 'mirror.example.com' },
      result: null,
      tells: [' - WARNING: Failed to query node offline.example.com (continuing): Node is marked offline'],
      unchanged: true,
    },
    {
      title: 'of instances that are gone as well',
      run: 'OP_BACKUP_REMOVE',
      with: { instance_name: 'gone' },
      result: null,
      tells: [
        'Export not found. If trying to remove an export belonging to a deleted instance please use its Fully ' +
          'Qualified Domain Name.',
      ],
    },
  ])
})
