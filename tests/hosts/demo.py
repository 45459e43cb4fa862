"""`make demo-host` and `make demo-host-down`: the default project on a bare Debian 13 host of your own machine."""

import shutil
import sys

from tests.hosts.host import Host, docker, make_key
from tests.hosts.project import ROOT, Project
from tests.ports import free_port

FOLDER = ROOT / ".demo-host"
NAME = "slipway-demo"
DOMAIN = "mysite.localhost"  # Browsers resolve every name under .localhost to this machine.


def up() -> int:
    """Start the host (again), deploy to it and print its address; give the deployment's exit status."""
    down()
    port = free_port()
    print("demo-host: generate a project into .demo-host/mysite", flush=True)
    project = Project(FOLDER / "mysite", domain=DOMAIN).generate()
    print("demo-host: start a bare Debian 13 host", flush=True)
    host = Host(NAME, make_key(FOLDER), publish=(f"127.0.0.1:{port}:443",)).start()
    # The browser's origin has the published port, which only this demo knows.
    origins = {"CSRF_TRUSTED_ORIGINS": f"https://{DOMAIN},https://{DOMAIN}:{port}"}
    project.place({"app_environment": origins}, web=[host], database=[host], redis=[host])
    print("demo-host: ansible-playbook deploy.yml", flush=True)
    run = project.deploy()
    print(run.output)
    if run.status == 0:
        print(f"demo-host: https://{DOMAIN}:{port}/ (its certificate comes from the project's own authority)")
        print(f"demo-host: the report: {project.folder}/deploy/reports/production/smoke.html")
        print("demo-host: `make demo-host-down` removes the host")
    return run.status


def down() -> None:
    """Remove the host and its project, if they are there."""
    if docker("ps", "--all", "--quiet", "--filter", f"name=^{NAME}$"):
        docker("rm", "--force", "--volumes", NAME)
    shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["up"]:
            sys.exit(up())
        case ["down"]:
            down()
        case _:
            sys.exit("usage: python -m tests.hosts.demo up|down")
