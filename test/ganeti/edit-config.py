"""Does to config.data what Ganeti would not do here. Run it on the master, where
neither ganeti-wconfd nor ganeti-luxid runs.

    edit-config.py drbd INSTANCE SECONDARY    makes a stopped instance with one disk a drbd one
    edit-config.py forget INSTANCE            forgets an instance and its disks
"""
import json
import os
import sys

CONFIG = "/var/lib/ganeti/config.data"


def named(objects, name):
    return next(one for one in objects.values() if one["name"] == name)


def drbd(config, instance_name, secondary_name):
    instance = named(config["instances"], instance_name)
    both = [instance["primary_node"], named(config["nodes"], secondary_name)["uuid"]]
    disk = config["disks"][instance["disks"][0]]
    cluster = config["cluster"]
    port = max(cluster.get("highest_used_port") or 10999, 10999) + 1

    def volume(name, size, number):
        return {
            "dev_type": "plain", "logical_id": ["xenvg", name], "size": size, "params": {},
            "mode": "rw", "ctime": disk["mtime"], "mtime": disk["mtime"], "serial_no": 1,
            "nodes": both, "uuid": "%s%04d" % (disk["uuid"][:-4], number),
        }

    disk["dev_type"] = "drbd"
    disk["logical_id"] = both + [port, 0, 0, "0123456789abcdef0123456789abcdef01234567"]
    disk["nodes"] = both
    disk["children"] = [volume("disk0_data", disk["size"], 1), volume("disk0_meta", 128, 2)]
    cluster["volume_group_name"] = "xenvg"
    cluster["highest_used_port"] = port


def forget(config, instance_name):
    instance = named(config["instances"], instance_name)
    for disk in instance["disks"]:
        del config["disks"][disk]
    del config["instances"][instance["uuid"]]


edit = {"drbd": drbd, "forget": forget}[sys.argv[1]]
with open(CONFIG) as file:
    config = json.load(file)
edit(config, *sys.argv[2:])
config["serial_no"] += 1

before = os.stat(CONFIG)
with open(CONFIG + ".new", "w") as file:
    json.dump(config, file)
os.chown(CONFIG + ".new", before.st_uid, before.st_gid)
os.chmod(CONFIG + ".new", before.st_mode & 0o777)
os.rename(CONFIG + ".new", CONFIG)
