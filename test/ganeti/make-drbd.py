"""make-drbd.py INSTANCE SECONDARY: makes a stopped instance with one disk a
drbd one in config.data. Run it on the master, where neither ganeti-wconfd nor
ganeti-luxid runs."""
import json
import os
import sys

CONFIG = "/var/lib/ganeti/config.data"
instance_name, secondary_name = sys.argv[1:]

with open(CONFIG) as file:
    config = json.load(file)
instance = next(one for one in config["instances"].values() if one["name"] == instance_name)
secondary = next(one["uuid"] for one in config["nodes"].values() if one["name"] == secondary_name)
both = [instance["primary_node"], secondary]
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
config["serial_no"] += 1

before = os.stat(CONFIG)
with open(CONFIG + ".new", "w") as file:
    json.dump(config, file)
os.chown(CONFIG + ".new", before.st_uid, before.st_gid)
os.chmod(CONFIG + ".new", before.st_mode & 0o777)
os.rename(CONFIG + ".new", CONFIG)
