"""Makes calls with the RAPI client of Debian's python3-ganeti-rapi.

    call-rapi-client.py PORT CAFILE USER PASSWORD [HOST] <CALLS

Each line of CALLS is a JSON list of [method, [argument, ...], {keyword: argument, ...}].
Prints a JSON object in a line for each: "results", for each call
["returned", value] or ["raised", [type, code, message]]; "methods", the names
of all methods; and "readings", of those that only read.
"""

import json
import sys

from ganeti.rapi import client

port, cafile, user, password, host = (sys.argv[1:] + ["localhost"])[:5]
rapi = client.GanetiRapiClient(
    host, int(port), user, password,
    curl_config_fn=client.GenericCurlConfig(cafile=cafile, verify_hostname=True, timeout=300))


def result(name, args, kwargs):
    try:
        return ["returned", getattr(rapi, name)(*args, **kwargs)]
    except client.Error as err:
        return ["raised", [type(err).__name__, getattr(err, "code", None), str(err)]]


methods = [name for name in dir(rapi) if name[0].isupper() and callable(getattr(rapi, name))]
for calls in sys.stdin:
    print(json.dumps({
        "results": [result(*call) for call in json.loads(calls)],
        "methods": methods,
        "readings": [name for name in methods if name.startswith(("Get", "Query"))],
    }), flush=True)
