"""Runs Ganeti's own QA of the remote API (Debian: ganeti-testsuite) on the master of an empty cluster.

    run-qa.py PORT USER PASSWORD

A cluster without LVM: where the QA wants plain volumes it gets files, and its
instances that move from node to node lie in shared files. Prints a JSON object:
"parts", the names of all parts of the QA; "outcomes", for each part that was run
[name, null or what went wrong]. What the QA says on the way goes to standard error.
"""

import contextlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import traceback

SUITE = "/usr/share/ganeti/testsuite"
# Before the public part of these modules, which is the client alone.
MODULES = "/usr/share/ganeti/default"
sys.path[:0] = [MODULES, SUITE, SUITE + "/qa"]

from ganeti import constants

# Before the QA reads it.
constants.DT_PLAIN = constants.DT_FILE

from qa import qa_config, qa_rapi

NODES = ["node%d.example.com" % number for number in (1, 2, 3)]

port, user, password = sys.argv[1:]
outcomes = []


def configure():
    folder = tempfile.mkdtemp()
    secret = os.path.join(folder, "password")
    with open(secret, "w") as file:
        file.write(password)
    path = os.path.join(folder, "qa.json")
    with open(path, "w") as file:
        json.dump({
            "name": "cluster.example.com",
            "os": "noop+default",
            "maxmem": "256M",
            "minmem": "128M",
            "disks": [{"size": "1G", "growth": "16M", "name": "disk0"}],
            # Plain, so that the QA takes the cluster for one with LVM.
            "enabled-disk-templates": ["file", "plain", "sharedfile"],
            "enabled-hypervisors": ["fake"],
            "nodes": [{"primary": node} for node in NODES],
            "instances": [{"name": "inst%d.example.com" % number} for number in range(30, 36)],
            "rapi-port": int(port),
            "rapi-user": user,
            "rapi-password-file": secret,
            "groups": {"inexistent-groups": ["qa1", "qa2", "qa3"]},
            # The cluster has tags already.
            "ignore-tags-re": "(?!QA-)",
            "tests": {"create-cluster": False},
        }, file)
    qa_config.Load(path)
    qa_config.GetConfig().SetExclusiveStorage(False)
    # The QA asks the nodes over SSH, and wants to know them.
    with open("/etc/ssh/ssh_host_rsa_key.pub") as file:
        key = " ".join(file.read().split()[:2])
    with open("/root/.ssh/known_hosts", "a") as file:
        file.writelines("%s %s\n" % (node, key) for node in NODES)


def run(part, *args):
    """Runs a part of the QA, and keeps what came of it; gives what it returns."""
    print("== %s%r" % (part.__name__, args))
    try:
        result = part(*args)
    except Exception as error:
        traceback.print_exc()
        outcomes.append([part.__name__, "%s: %s" % (type(error).__name__, error)])
        return None
    outcomes.append([part.__name__, None])
    return result


def new_instance(template):
    instance = qa_config.AcquireInstance()
    instance.SetDiskTemplate(template)
    subprocess.check_call(
        ["gnt-instance", "add", "--no-ip-check", "--no-name-check", "-t", template, "--disk", "0:size=1024",
         "-o", "noop+default", "-n", NODES[0], "-B", "memory=128", instance.name], stdout=sys.stderr)
    return instance


def the_cluster(node):
    run(qa_rapi.TestVersion)
    run(qa_rapi.TestEmptyCluster)
    run(qa_rapi.TestRapiQuery)
    run(qa_rapi.GetOperatingSystems)
    run(qa_rapi.TestNode, node)
    run(qa_rapi.TestRapiNodeGroups)
    run(qa_rapi.TestFilters)
    for kind, name in [(constants.TAG_CLUSTER, None), (constants.TAG_NODE, NODES[1]),
                       (constants.TAG_NODEGROUP, "group2"), (constants.TAG_NETWORK, "net2")]:
        run(qa_rapi.TestTags, kind, name, ["QA-one", "QA-two:x"])


def coming_and_going(node):
    for use_client in (True, False):
        instance = run(qa_rapi.TestRapiInstanceAdd, node, use_client)
        if instance:
            run(qa_rapi.TestRapiInstanceRemove, instance, use_client)
            instance.Release()
    for instance in run(qa_rapi.TestRapiInstanceMultiAlloc, node) or []:
        run(qa_rapi.TestRapiInstanceRemove, instance, True)
        instance.Release()


def an_instance():
    instance = new_instance(constants.DT_SHARED_FILE)
    another = qa_config.AcquireInstance()
    nodes = qa_config.GetAllNodes()
    run(qa_rapi.TestInstance, instance)
    run(qa_rapi.TestTags, constants.TAG_INSTANCE, instance.name, ["QA-one", "QA-two:x"])
    run(qa_rapi.TestRapiInstanceModify, instance)
    run(qa_rapi.TestRapiInstanceConsole, instance)
    run(qa_rapi.TestRapiInstanceMigrate, instance)
    run(qa_rapi.TestRapiInstanceFailover, instance)
    run(qa_rapi.TestInterClusterInstanceMove, instance, another, nodes[:1], nodes[1])
    run(qa_rapi.TestRapiInstanceShutdown, instance)
    run(qa_rapi.TestRapiStoppedInstanceConsole, instance)
    run(qa_rapi.TestRapiInstanceRenameAndBack, instance.name, "renamed.example.com")
    run(qa_rapi.TestRapiInstanceReinstall, instance)
    run(qa_rapi.TestRapiInstanceStartup, instance)
    run(qa_rapi.TestRapiInstanceRemove, instance, True)
    instance.Release()
    another.Release()


# The QA would hold a lock meanwhile. Its function for that fails for want of a name (3.0.2), or
# leaves the job that holds the lock running, for which all that follows waits (3.1).
qa_rapi.RunWithLocks = lambda function, _locks, _timeout, _block, *args: function(*args)

# The tool that moves instances compares this option with a number, also where it was not given (3.0.2).
start = qa_rapi.StartLocalCommand
qa_rapi.StartLocalCommand = lambda command, **kwargs: start(
    command[:1] + ["--opportunistic-tries=0"] + command[1:], **kwargs)

with contextlib.redirect_stdout(sys.stderr):
    configure()
    # The QA calls its tools by where they are from there.
    os.chdir("/usr/lib/ganeti/tools")
    qa_rapi.SetupRapi()
    master = qa_config.GetMasterNode()
    the_cluster(master)
    coming_and_going(master)
    an_instance()

parts = [name for name, _ in inspect.getmembers(qa_rapi, inspect.isfunction) if name.startswith("Test")]
json.dump({"parts": parts, "outcomes": outcomes}, sys.stdout)
