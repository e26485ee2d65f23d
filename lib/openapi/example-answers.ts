/** What the sample cluster answers to the example of each method, as JSON, by operationId; made by `npm run docs`. */
export const EXAMPLE_ANSWERS: { readonly [operationId: string]: string } = {
  GetResources: '[{"name":"2","uri":"/2"},{"name":"info","uri":"/info"}]',
  GetInfoV12:
    '{"name":"cluster1.example.com","master":"node1.example.com","software_version":"3.2.0","protocol_version":3020000,"config_version":3020000,"os_api_version":20,"export_version":0,"architecture":["64bit","x86_64"],"hypervisor_type":"xen-pvm"}',
  GetInstancesV12:
    '[{"name":"build.example.com","uri":"/instances/build.example.com"},{"name":"db.example.com","uri":"/instances/db.example.com"}]',
  GetInstanceV12:
    '{"name":"web.example.com","os":"debian-etch","pnode":"node1.example.com","snodes":["node2.example.com"],"admin_state":true,"admin_ram":512,"vcpus":2,"disk_template":"drbd","ip":null,"mac":"01:23:45:67:89:01","bridge":"xen-br0","sda_size":20480,"sdb_size":4096,"oper_state":true,"status":"running","tags":["tag1","tag2"],"auto_balance":true,"network_port":null,"kernel_path":"/boot/vmlinuz-6-xenU","initrd_path":"","hvm_boot_order":null,"hvm_acpi":null,"hvm_pae":null,"hvm_cdrom_image_path":null,"hvm_nic_type":null,"hvm_disk_type":null,"vnc_bind_address":null}',
  GetInstanceTagsV12: '["tag1","tag2"]',
  GetNodesV12:
    '[{"name":"node1.example.com","uri":"/nodes/node1.example.com"},{"name":"node2.example.com","uri":"/nodes/node2.example.com"}]',
  GetNodeV12:
    '{"name":"node1.example.com","dtotal":5246208,"dfree":4944640,"mtotal":32763,"mnode":1024,"mfree":31227,"pinst_cnt":2,"sinst_cnt":1,"tags":["rack-a"],"ctotal":8,"cnodes":2,"csockets":2}',
  GetNodeTagsV12: '["rack-a"]',
  GetOperatingSystemsV12: '["debian+bookworm","debian+trixie","debian-etch","windows"]',
  GetClusterTagsV12: '["production","site:berlin"]',
  GetVersion: '2',
  GetRoot: 'null',
  GetInfo:
    '{"software_version":"3.2.0","protocol_version":3020000,"config_version":3020000,"os_api_version":20,"export_version":0,"vcs_version":"(ganeti) version 3.2.0","architecture":["64bits","x86_64"],"name":"cluster1.example.com","master":"node1.example.com","default_hypervisor":"xen-pvm","enabled_hypervisors":["xen-pvm","xen-hvm","kvm"],"hvparams":{"xen-pvm":{"blockdev_prefix":"sd","bootloader_args":"","bootloader_path":"","cpu_cap":0,"cpu_mask":"all","cpu_weight":256,"cpuid":"","initrd_path":"","kernel_args":"ro","kernel_path":"/boot/vmlinuz-6-xenU","migration_mode":"live","migration_port":8002,"reboot_behavior":"reboot","root_path":"/dev/xvda1","soundhw":"","use_bootloader":false,"vif_script":""},"kvm":{"acpi":true,"boot_order":"disk","cdrom2_image_path":"","cdrom_disk_type":"","cdrom_image_path":"","cpu_cores":0,"cpu_mask":"all","cpu_sockets":0,"cpu_threads":0,"cpu_type":"","disk_aio":"threads","disk_cache":"default","disk_discard":"ignore","disk_type":"paravirtual","floppy_image_path":"","initrd_path":"","kernel_args":"ro","kernel_path":"","keymap":"","kvm_extra":"","kvm_flag":"","kvm_path":"/usr/bin/kvm","kvm_pci_reservations":12,"machine_version":"","mem_path":"","migration_bandwidth":32,"migration_caps":"","migration_downtime":30,"migration_mode":"live","migration_port":8102,"nic_type":"paravirtual","reboot_behavior":"reboot","root_path":"/dev/vda1","scsi_controller_type":"lsi","security_domain":"","security_model":"none","serial_console":true,"serial_speed":38400,"soundhw":"","spice_bind":"","spice_image_compression":"","spice_ip_version":0,"spice_jpeg_wan_compression":"","spice_password_file":"","spice_playback_compression":true,"spice_streaming_video":"","spice_tls_ciphers":"HIGH:-DES:-3DES:-EXPORT:-DH","spice_use_tls":false,"spice_use_vdagent":true,"spice_zlib_glz_wan_compression":"","usb_devices":"","usb_mouse":"","use_chroot":false,"use_guest_agent":false,"use_localtime":false,"user_shutdown":false,"vga":"","vhost_net":true,"virtio_net_queues":1,"vnc_bind_address":"0.0.0.0","vnc_password_file":"","vnc_tls":false,"vnc_x509_path":"","vnc_x509_verify":false,"vnet_hdr":true},"chroot":{"init_script":"/ganeti-chroot"},"fake":{"migration_mode":"live"},"lxc":{"cpu_mask":"","devices":"c 1:3 rw,c 1:5 rw,c 1:7 rw,c 1:8 rw,c 1:9 rw,c 1:10 rw,c 5:0 rw,c 5:1 rw,c 5:2 rw,c 136:* rw","drop_capabilities":"mac_override,sys_boot,sys_module,sys_time,sys_admin","extra_cgroups":"","extra_config":"","num_ttys":6,"startup_timeout":30},"xen-hvm":{"acpi":true,"blockdev_prefix":"hd","boot_order":"cd","cdrom_image_path":"","cpu_cap":0,"cpu_mask":"all","cpu_weight":256,"cpuid":"","device_model":"/usr/lib/xen/bin/qemu-dm","disk_type":"paravirtual","kernel_path":"/usr/lib/xen/boot/hvmloader","migration_mode":"non-live","migration_port":8002,"nic_type":"rtl8139","pae":true,"pci_pass":"","reboot_behavior":"reboot","soundhw":"","use_localtime":false,"vif_script":"","vif_type":"ioemu","viridian":false,"vnc_bind_address":"0.0.0.0","vnc_password_file":"/etc/ganeti/vnc-cluster-password"}},"os_hvp":{"debian-etch":{"xen-pvm":{"kernel_args":"ro quiet"}}},"beparams":{"default":{"minmem":512,"maxmem":512,"vcpus":1,"auto_balance":true,"always_failover":false,"spindle_use":1}},"osparams":{"debian-etch":{"mirror":"http://deb.example.com/debian"}},"ipolicy":{"minmax":[{"min":{"memory-size":128,"disk-size":1024,"disk-count":1,"cpu-count":1,"nic-count":1,"spindle-use":1},"max":{"memory-size":16384,"disk-size":2097152,"disk-count":8,"cpu-count":16,"nic-count":8,"spindle-use":12}}],"std":{"memory-size":128,"disk-size":1024,"disk-count":1,"cpu-count":1,"nic-count":1,"spindle-use":1},"spindle-ratio":32,"vcpu-ratio":8,"disk-templates":["drbd","plain","file","diskless"]},"nicparams":{"default":{"mode":"bridged","link":"xen-br0","vlan":""}},"ndparams":{"oob_program":"","spindle_count":1,"exclusive_storage":false,"ovs":false,"ovs_name":"switch1","ovs_link":"","ssh_port":22,"cpu_speed":1},"diskparams":{"blockdev":{},"diskless":{},"drbd":{"c-delay-target":1,"c-fill-target":0,"c-max-rate":61440,"c-min-rate":4096,"c-plan-ahead":20,"data-stripes":1,"disk-barriers":"n","disk-custom":"","dynamic-resync":false,"meta-barriers":false,"meta-stripes":1,"metavg":"xenvg","net-custom":"","protocol":"C","resync-rate":61440},"ext":{"access":"kernelspace"},"file":{},"gluster":{"access":"kernelspace","host":"127.0.0.1","port":24007,"volume":"gv0"},"plain":{"stripes":1},"rbd":{"access":"kernelspace","pool":"rbd"},"sharedfile":{}},"candidate_pool_size":10,"max_running_jobs":20,"max_tracked_jobs":25,"mac_prefix":"aa:00:00","master_netdev":"xen-br0","master_netmask":32,"use_external_mip_script":false,"volume_group_name":"xenvg","drbd_usermode_helper":"/bin/true","file_storage_dir":"/srv/ganeti/file-storage","shared_file_storage_dir":"","gluster_storage_dir":"","maintain_node_health":false,"ctime":1700000000,"mtime":1700000000,"uuid":"91ec4c93-9985-5d07-b493-6880a11aeb0f","tags":["production","site:berlin"],"uid_pool":[],"default_iallocator":"hail","default_iallocator_params":{},"reserved_lvs":[],"primary_ip_version":4,"prealloc_wipe_disks":false,"hidden_os":["rescue"],"blacklisted_os":[],"enabled_disk_templates":["drbd","plain","file","diskless"],"install_image":"","instance_communication_network":"","zeroing_image":"","compression_tools":["gzip","gzip-fast","gzip-slow"],"enabled_user_shutdown":false,"enabled_data_collectors":{"cpu-avg-load":true,"diskstats":true,"drbd":true,"inst-status-xen":true,"lv":true,"xen-cpu-avg-load":true},"data_collector_interval":{"cpu-avg-load":5000000,"diskstats":5000000,"drbd":5000000,"inst-status-xen":5000000,"lv":5000000,"xen-cpu-avg-load":5000000},"modify_ssh_setup":true,"ssh_key_type":"rsa","ssh_key_bits":2048,"vg_name":"xenvg","drbd_helper":"/bin/true"}',
  GetFeatures: '["instance-create-reqv1","instance-reinstall-reqv1","node-migrate-reqv1","node-evac-res1"]',
  GetOperatingSystems: '["debian+bookworm","debian+trixie","debian-etch","windows"]',
  GetClusterTags: '["production","site:berlin"]',
  AddClusterTags: '1',
  DeleteClusterTags: '1',
  ModifyCluster: '1',
  RedistributeConfig: '1',
  GetNodes:
    '[{"id":"node1.example.com","uri":"/2/nodes/node1.example.com"},{"id":"node2.example.com","uri":"/2/nodes/node2.example.com"}]',
  GetNode:
    '{"name":"node1.example.com","offline":false,"master_candidate":true,"drained":false,"dtotal":5246208,"dfree":4944640,"sptotal":null,"spfree":null,"mtotal":32763,"mnode":1024,"mfree":31227,"pinst_cnt":2,"sinst_cnt":1,"ctotal":8,"cnos":2,"cnodes":2,"csockets":2,"pip":"192.0.2.1","sip":"203.0.113.1","role":"M","pinst_list":["web.example.com","windows.example.com"],"sinst_list":["mail.example.com"],"master_capable":true,"vm_capable":true,"ndparams":{"oob_program":"","spindle_count":1,"exclusive_storage":false,"ovs":false,"ovs_name":"switch1","ovs_link":"","ssh_port":22,"cpu_speed":1},"group.uuid":"64b0f62b-61b6-5cfb-871f-dff2e2e84747","ctime":1700000000,"mtime":1700000000,"uuid":"215257f8-f5cc-51da-bab8-6fd4f328222c","serial_no":1,"tags":["rack-a"],"secondary_ip":"203.0.113.1"}',
  ModifyNode: '1',
  GetNodeRole: '"master"',
  SetNodeRole: '1',
  EvacuateNode: '1',
  MigrateNode: '1',
  PowercycleNode: '1',
  GetNodeStorageUnits: '1',
  ModifyNodeStorageUnits: '1',
  RepairNodeStorageUnits: '1',
  GetNodeTags: '["rack-a"]',
  AddNodeTags: '1',
  DeleteNodeTags: '1',
  GetInstances:
    '[{"id":"build.example.com","uri":"/2/instances/build.example.com"},{"id":"db.example.com","uri":"/2/instances/db.example.com"}]',
  CreateInstance: '1',
  InstancesMultiAlloc: '1',
  GetInstance:
    '{"name":"web.example.com","admin_state":"up","os":"debian-etch","pnode":"node1.example.com","snodes":["node2.example.com"],"disk_template":"drbd","nic.ips":[null],"nic.macs":["01:23:45:67:89:01"],"nic.modes":["bridged"],"nic.uuids":["6352b742-f4b5-5282-8b09-c5c22161310f"],"nic.names":[null],"nic.links":["xen-br0"],"nic.networks":[null],"nic.networks.names":[null],"nic.bridges":["xen-br0"],"network_port":null,"disk.sizes":[20480,4096],"disk.spindles":[null,null],"disk_usage":24832,"disk.uuids":["87d260bf-d417-5335-9576-e175bb864c94","02531553-2c59-5c1f-8375-7c78f503b0fd"],"disk.names":[null,null],"beparams":{"minmem":512,"maxmem":512,"vcpus":2,"auto_balance":true,"always_failover":false,"spindle_use":1,"memory":512},"hvparams":{"blockdev_prefix":"sd","bootloader_args":"","bootloader_path":"","cpu_cap":0,"cpu_mask":"all","cpu_weight":256,"cpuid":"","initrd_path":"","kernel_args":"ro quiet","kernel_path":"/boot/vmlinuz-6-xenU","reboot_behavior":"reboot","root_path":"/dev/xvda1","soundhw":"","use_bootloader":false,"vif_script":""},"oper_state":true,"oper_ram":512,"oper_vcpus":2,"status":"running","custom_hvparams":{},"custom_beparams":{"maxmem":512,"minmem":512,"vcpus":2},"custom_nicparams":[{"link":"xen-br0"}],"custom_osparams":{"mirror":"http://mirror.example.com/debian"},"hypervisor":"xen-pvm","ctime":1700000000,"mtime":1700000000,"uuid":"effa720b-a207-5109-963e-b0cb4b1b2b09","serial_no":1,"tags":["tag1","tag2"]}',
  DeleteInstance: '1',
  GetInstanceInfo: '1',
  GetInstanceConsole:
    '{"instance":"web.example.com","kind":"ssh","host":"node1.example.com","user":"root","command":["/usr/lib/ganeti/tools/xen-console-wrapper","undefined","web.example.com"]}',
  StartupInstance: '1',
  ShutdownInstance: '1',
  RebootInstance: '1',
  ModifyInstance: '1',
  RenameInstance: '1',
  ReinstallInstance: '1',
  MigrateInstance: '1',
  FailoverInstance: '1',
  ActivateInstanceDisks: '1',
  DeactivateInstanceDisks: '1',
  RecreateInstanceDisks: '1',
  ReplaceInstanceDisks: '1',
  GrowInstanceDisk: '1',
  PrepareExport: '1',
  ExportInstance: '1',
  DeleteExport: '1',
  GetInstanceTags: '["tag1","tag2"]',
  AddInstanceTags: '1',
  DeleteInstanceTags: '1',
  GetGroups: '[{"name":"branch","uri":"/2/groups/branch"},{"name":"default","uri":"/2/groups/default"}]',
  CreateGroup: '1',
  GetGroup:
    '{"alloc_policy":"preferred","name":"default","node_cnt":3,"node_list":["node1.example.com","node3.example.com","node2.example.com"],"ipolicy":{"minmax":[{"min":{"memory-size":128,"disk-size":1024,"disk-count":1,"cpu-count":1,"nic-count":1,"spindle-use":1},"max":{"memory-size":16384,"disk-size":2097152,"disk-count":8,"cpu-count":16,"nic-count":8,"spindle-use":12}}],"std":{"memory-size":128,"disk-size":1024,"disk-count":1,"cpu-count":1,"nic-count":1,"spindle-use":1},"spindle-ratio":32,"vcpu-ratio":8,"disk-templates":["drbd","plain","file","diskless"]},"custom_ipolicy":{},"diskparams":{"blockdev":{},"diskless":{},"drbd":{"c-delay-target":1,"c-fill-target":0,"c-max-rate":61440,"c-min-rate":4096,"c-plan-ahead":20,"data-stripes":1,"disk-barriers":"n","disk-custom":"","dynamic-resync":false,"meta-barriers":false,"meta-stripes":1,"metavg":"xenvg","net-custom":"","protocol":"C","resync-rate":61440},"ext":{"access":"kernelspace"},"file":{},"gluster":{"access":"kernelspace","host":"127.0.0.1","port":24007,"volume":"gv0"},"plain":{"stripes":1},"rbd":{"access":"kernelspace","pool":"rbd"},"sharedfile":{}},"custom_diskparams":{},"ndparams":{"oob_program":"","spindle_count":1,"exclusive_storage":false,"ovs":false,"ovs_name":"switch1","ovs_link":"","ssh_port":22,"cpu_speed":1},"custom_ndparams":{},"ctime":1700000000,"mtime":1700000000,"uuid":"64b0f62b-61b6-5cfb-871f-dff2e2e84747","serial_no":1,"tags":["rack:a"]}',
  DeleteGroup: '1',
  ModifyGroup: '1',
  RenameGroup: '1',
  AssignGroupNodes: '1',
  GetGroupTags: '["rack:a"]',
  AddGroupTags: '1',
  DeleteGroupTags: '1',
  GetNetworks: '[{"name":"front","uri":"/2/networks/front"},{"name":"storage","uri":"/2/networks/storage"}]',
  CreateNetwork: '1',
  GetNetwork:
    '{"name":"front","network":"198.51.100.0/24","gateway":"198.51.100.1","network6":"2001:db8:100::/64","gateway6":"2001:db8:100::1","mac_prefix":"aa:bb:cc","free_count":237,"reserved_count":19,"map":"XXX......................X....X.........X.........X.............................................................................................................................................................................................XXXXXXXXXXX....X","group_list":[["branch","routed","main",""],["default","bridged","xen-br0",""]],"inst_list":["build.example.com","db.example.com","mail.example.com","router.example.com"],"external_reservations":"198.51.100.0, 198.51.100.1, 198.51.100.2, 198.51.100.240, 198.51.100.241, 198.51.100.242, 198.51.100.243, 198.51.100.244, 198.51.100.245, 198.51.100.246, 198.51.100.247, 198.51.100.248, 198.51.100.249, 198.51.100.250, 198.51.100.255","ctime":1700000000,"mtime":1700000000,"uuid":"bbe43c8b-65c3-52a8-9e36-b63a3a309fc0","serial_no":1,"tags":["public"]}',
  DeleteNetwork: '1',
  ConnectNetwork: '1',
  DisconnectNetwork: '1',
  ModifyNetwork: '1',
  RenameNetwork: '1',
  GetNetworkTags: '["public"]',
  AddNetworkTags: '1',
  DeleteNetworkTags: '1',
  GetFilters:
    '[{"watermark":0,"priority":10,"predicates":[["opcode",["==","OP_ID","OP_BACKUP_REMOVE"]]],"action":"REJECT","reason_trail":[["gnt:user","backups are kept until the audit",1700000000000000000]],"uuid":"46968f25-9852-59d1-a770-0a510b6235fa"},{"watermark":0,"priority":20,"predicates":[["opcode",["==","OP_ID","OP_INSTANCE_REPLACE_DISKS"]]],"action":["RATE_LIMIT",2],"reason_trail":[],"uuid":"b36de489-bad0-52ac-a3d5-ec3afb858476"}]',
  AddFilter: '"1f0c7b1e-4c55-4f0e-9d0e-0d5b1c6a2e31"',
  GetFilter:
    '{"watermark":0,"priority":10,"predicates":[["opcode",["==","OP_ID","OP_BACKUP_REMOVE"]]],"action":"REJECT","reason_trail":[["gnt:user","backups are kept until the audit",1700000000000000000]],"uuid":"46968f25-9852-59d1-a770-0a510b6235fa"}',
  ReplaceFilter: '"46968f25-9852-59d1-a770-0a510b6235fa"',
  DeleteFilter: 'null',
  GetJobs:
    '[{"id":1,"ops":[{"priority":0,"depends":null,"comment":null,"reason":[["gnt:library:rlib2:instances_name_shutdown","",1700000000000000000],["gnt:opcode:instance_shutdown","job=1;index=0",1700000000000000000]],"OP_ID":"OP_INSTANCE_SHUTDOWN","instance_name":"db.example.com","force":false,"ignore_offline_nodes":false,"timeout":60,"no_remember":false}],"status":"success","summary":["INSTANCE_SHUTDOWN(db.example.com)"],"opstatus":["success"],"received_ts":[1700000000,0],"start_ts":[1700000000,0],"end_ts":[1700000002,500000]}]',
  GetJobStatus:
    '{"id":1,"ops":[{"priority":0,"depends":null,"comment":null,"reason":[["gnt:library:rlib2:instances_name_shutdown","",1700000000000000000],["gnt:opcode:instance_shutdown","job=1;index=0",1700000000000000000]],"OP_ID":"OP_INSTANCE_SHUTDOWN","instance_name":"db.example.com","force":false,"ignore_offline_nodes":false,"timeout":60,"no_remember":false}],"status":"success","summary":["INSTANCE_SHUTDOWN(db.example.com)"],"opstatus":["success"],"received_ts":[1700000000,0],"start_ts":[1700000000,0],"end_ts":[1700000002,500000],"oplog":[[]],"opresult":[null]}',
  CancelJob: '[false,"Job 1 is no longer waiting in the queue"]',
  WaitForJobChange: '{"job_info":["success"],"log_entries":[]}',
  QueryAll:
    '{"data":[[[0,"build.example.com"],[0,"debian+trixie"],[0,"node4.example.com"]],[[0,"db.example.com"],[0,"debian+bookworm"],[0,"node3.example.com"]]],"fields":[{"name":"name","title":"Instance","kind":"text","doc":"Full name of the instance"},{"name":"os","title":"OS","kind":"text","doc":"Its operating system, with variant"}]}',
  Query:
    '{"data":[[[0,"mail.example.com"],[0,"running"],[0,2]],[[0,"web.example.com"],[0,"running"],[0,2]]],"fields":[{"name":"name","title":"Instance","kind":"text","doc":"Full name of the instance"},{"name":"status","title":"Status","kind":"text","doc":"running: runs as it should; ADMIN_down: stopped, as it should be; ADMIN_offline: stopped for longer, and holds nothing of its node; USER_down: stopped from within by its user; ERROR_down: should run, but does not; ERROR_up: runs, but should not; ERROR_wrongnode: runs on another node than its primary one; ERROR_nodedown: its primary node does not answer; ERROR_nodeoffline: its primary node is marked offline"}]}',
  QueryFields:
    '{"fields":[{"name":"name","title":"Instance","kind":"text","doc":"Full name of the instance"},{"name":"os","title":"OS","kind":"text","doc":"Its operating system, with variant"}]}',
  GetWhoAmI:
    '{"user":"rclient","permissions":["cluster.info","filter.list","filter.query","groups.list","groups.query","instances.list","instances.query","instances.info","jobs.list","jobs.query","networks.list","networks.query","nodes.list","nodes.query","nodes.role.query","os.list","tags.get"],"selectors":{}}',
}
