"""As much of rclone as the engine uses, on directories: quick, and wrong on request.

A file ``faults`` beside it holds lines ``VERB WORD``: a call of that verb with that word in an argument fails.
"""

import json
import os
import shutil
import sys

argv = [one for one in sys.argv[1:] if not one.startswith("--")]
words = sys.argv[1:]
verb = argv[0]
for fault in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults")):
    if fault.split()[0] == verb and fault.split()[1] in " ".join(argv):
        sys.exit("refused")


def local(name):
    return name.split(":", 1)[1]


def described(path, name):
    return {"Path": name, "Size": os.path.getsize(path), "ModTime": "2026-01-01T00:00:00Z", "IsDir": False}


if verb == "lsjson":
    root = local(argv[-1])
    if not os.path.exists(root):
        sys.exit(3)
    if "--stat" in words:
        print(json.dumps(described(root, "")))
    else:
        found = [os.path.join(top, name) for top, _names, names in os.walk(root) for name in names]
        print(json.dumps([described(path, os.path.relpath(path, root)) for path in found]))
elif verb == "backend":
    print(json.dumps({"Features": {"Move": True}}))
elif verb in ("copyto", "moveto"):
    source, target = (one if verb == "copyto" and one == argv[1] else local(one) for one in argv[1:])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    (shutil.copy if verb == "copyto" else os.replace)(source, target)
elif verb == "deletefile":
    if not os.path.exists(local(argv[1])):
        sys.exit(4)
    os.unlink(local(argv[1]))
elif verb == "cat":
    sys.stdout.buffer.write(open(local(argv[1]), "rb").read())
elif verb == "sync":
    source, target = local(argv[-2]), argv[-1]
    for kind in ("full", "database", "json"):
        shutil.rmtree(os.path.join(target, kind), ignore_errors=True)
        if os.path.isdir(os.path.join(source, kind)):
            os.mkdir(os.path.join(target, kind))
            for name in os.listdir(os.path.join(source, kind)):
                if name.endswith(".manifest.json"):
                    shutil.copy(os.path.join(source, kind, name), os.path.join(target, kind, name))
else:
    sys.exit(f"{verb} is not known")
