"""Reads credentials files as botocore and boto2 do, many in one process, for the fuzzer (test/fuzz/python-readers.ts).

On standard input one file a line, in base64; on standard output, for each, one line of JSON: what each library's own
loader makes of it ({section: {key: value}}), null where it refuses the whole file, and absent where the library is not
installed. The first line names the libraries and their versions.
"""

import base64
import json
import os
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")

LIBRARIES = {}

try:
    import botocore
    from botocore import configloader, exceptions

    def read_with_botocore(path):
        try:
            return configloader.raw_config_parse(path)
        except exceptions.ConfigParseError:
            return None

    LIBRARIES["botocore"] = (botocore.__version__, read_with_botocore)
except ImportError:
    pass

try:
    import configparser

    import boto
    from boto.pyami.config import Config

    def read_with_boto(path):
        config = Config(do_load=False)
        try:
            config.load_from_path(path)
        except (configparser.Error, UnicodeDecodeError):
            return None
        # Without boto's own defaults, which it adds to every section, and without Python 3's `%(name)s`.
        return {name: dict(config._parser._sections[name]) for name in config.sections()}

    LIBRARIES["boto2"] = (boto.Version, read_with_boto)
except ImportError:
    pass


def main():
    directory = tempfile.mkdtemp(prefix="rolefresh-python-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    path = os.path.join(directory, "credentials")
    versions = {name: version for name, (version, _) in LIBRARIES.items()}
    print(json.dumps(versions), flush=True)
    try:
        for line in sys.stdin:
            with open(path, "wb") as file:
                file.write(base64.b64decode(line))
            found = {name: read(path) for name, (_, read) in LIBRARIES.items()}
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()
    finally:
        if os.path.exists(path):
            os.unlink(path)
        os.rmdir(directory)


main()
