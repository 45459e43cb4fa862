#!/usr/bin/python
# SPDX-License-Identifier: MIT
"""Save images without the layers that another engine already has."""

DOCUMENTATION = r"""
module: slipway_image
short_description: Save images for another host, without the layers that it has
description:
  - Like C(docker save), for an engine that already has some of the images, or images with the same first layers.
  - The engine that loads the file takes the layers that it knows from itself; it never asks for their files.
options:
  images: {description: Names of the images., type: list, elements: str, required: true}
  known:
    description:
      - What the other engine has, a line for each image. Its id, a space, its layers as JSON.
      - C(docker image inspect --format '{{.Id}} {{json .RootFS.Layers}}') prints it.
    type: list
    elements: str
    required: true
  dest: {description: The file to write., type: path, required: true}
"""

EXAMPLES = r"""
- name: Pack the layers that the host lacks
  slipway_image:
    images: [mysite:1.0, "nginx:1.28.3"]
    known: ['sha256:0123 ["sha256:4567", "sha256:89ab"]']
    dest: /tmp/images.tar
  delegate_to: localhost
"""

RETURN = r"""
images:
  description: The images that the other engine lacks; none, and no file is written.
  returned: always
  type: list
  elements: str
dest:
  description: The file.
  returned: always
  type: str
bytes:
  description: The size of the file.
  returned: always
  type: int
"""

import json
import os
import subprocess
import tarfile

from ansible.module_utils.basic import AnsibleModule


def beginning(layers, others):
    """Give how many of the first layers each of the others has in the same order, at most."""
    best = 0
    for other in others:
        same = 0
        while same < min(len(layers), len(other)) and layers[same] == other[same]:
            same += 1
        best = max(best, same)
    return best


def save(images, skipped, dest):
    """Write `docker save` of the images to dest, without the blobs whose digests are in `skipped`."""
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving:
        with tarfile.open(fileobj=saving.stdout, mode="r|") as source, tarfile.open(dest, "w") as target:
            for member in source:
                if os.path.basename(member.name) not in skipped:
                    target.addfile(member, source.extractfile(member) if member.isfile() else None)
        return saving.wait()


def main():
    """Compare, and write the file where something is lacking."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "str", "required": True},
            "known": {"type": "list", "elements": "str", "required": True},
            "dest": {"type": "path", "required": True},
        }
    )
    images, known, dest = module.params["images"], module.params["known"], module.params["dest"]
    _, said, _ = module.run_command(["docker", "image", "inspect", *images], check_rc=True)
    seen = dict(zip(images, json.loads(said), strict=True))
    ids = {line.split(" ")[0] for line in known}
    theirs = [json.loads(line.partition(" ")[2]) for line in known]
    lacking = [name for name in images if seen[name]["Id"] not in ids]
    skipped = set()
    for name in lacking:
        layers = seen[name]["RootFS"]["Layers"]
        skipped |= {layer.partition(":")[2] for layer in layers[: beginning(layers, theirs)]}
    if lacking and (status := save(lacking, skipped, dest)):
        module.fail_json(msg=f"docker save {' '.join(lacking)} ended with {status}: is there room for {dest}?")
    size = os.path.getsize(dest) if lacking else 0
    module.exit_json(changed=bool(lacking), images=lacking, dest=dest, bytes=size)


if __name__ == "__main__":
    main()
