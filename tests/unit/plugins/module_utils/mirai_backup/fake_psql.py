"""A psql that answers out of ``answers.json`` beside it and keeps what it is told in ``said``; conftest starts it."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(sys.argv[0]))
with open(os.path.join(HERE, "answers.json")) as file:
    ANSWERS = json.load(file)  # word → rows, or the words of an error
with open(os.path.join(HERE, "said"), "a") as said:
    for line in sys.stdin:
        said.write(line)
        said.flush()
        if line.startswith("\\echo "):
            print(line[len("\\echo ") :], end="", flush=True)
        for word, answer in ANSWERS.items():
            if word in line and isinstance(answer, str):
                sys.exit(f"psql:<stdin>:1: ERROR:  {answer}")
            if word in line:
                print(json.dumps(answer) if answer else "", flush=True)
                break
