"""Builds the image for real and runs it as the how-to says: as nobody special, root file system read-only.

Buildah builds it, in a storage of its own that is removed; bubblewrap runs it, with what the image says of user,
environment and command, in namespaces of its own: no daemon, no cgroup, no port of this machine. In it the
walk-through's commands are run as they stand, with ``/opt/keycloak/bin/kcadm.sh``.

Usage: ``python -m image [BASE]``: an image to build on; unless told, the one that the container file names, or where
that cannot be had one that mmdebstrap makes of Debian's packages.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
WALKTHROUGH = ROOT / "tests" / "kcadm" / "walkthrough.sh"
NEEDED = ("buildah", "bwrap")
PIPS = (Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt"))
"""What this machine reaches its package index with, for the steps of the build that do so."""
DEBIAN = """\
FROM scratch
ADD base.tar /
RUN ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
"""


class Buildah:
    """Buildah with images below `directory`, without need of overlays, namespaces or a network of its own."""

    def __init__(self, directory: Path) -> None:
        self._command = ["buildah", "--root", str(directory / "images"), "--runroot", str(directory / "run")]
        self._command += ["--storage-driver", "vfs"]

    def __call__(self, *arguments: str, cwd: Path = ROOT) -> str:
        """Standard output of a command. Raises CalledProcessError, having shown what it said."""
        done = subprocess.run([*self._command, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stdout[-5000:], done.stderr[-5000:], sep="\n", file=sys.stderr)
        done.check_returncode()
        return done.stdout.strip()

    def build(self, file: Path, tag: str, *options: str, cwd: Path = ROOT) -> None:
        self("bud", "--isolation", "chroot", "--format", "docker", "-t", tag, "-f", str(file), *options, ".", cwd=cwd)

    def has(self, image: str) -> bool:
        """Whether the image can be had from where it comes from."""
        done = subprocess.run([*self._command, "pull", "-q", image], capture_output=True, check=False)
        return done.returncode == 0


def main(base: str | None) -> int:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        print(f"skipped: there is no {' and no '.join(missing)}; apt-get install buildah bubblewrap mmdebstrap")
        return 0
    if os.geteuid():
        print("skipped: only root mounts an image and gives its files to another user")
        return 0
    with tempfile.TemporaryDirectory(prefix="keyturn-image-", ignore_cleanup_errors=True) as directory:
        place = Path(directory)
        place.chmod(0o755)
        buildah = Buildah(place)
        chosen = base or _base(buildah, place)
        if chosen is None:
            return 0
        begun = time.monotonic()
        own = [f"--volume={file}:{file}:ro" for file in PIPS if file.exists()]
        buildah.build(CONTAINERFILE, "keyturn", "--build-arg", f"PYTHON={chosen}", *own)
        print(f"built on {chosen} in {time.monotonic() - begun:.0f} seconds")
        return _walked(buildah, place)


def _base(buildah: Buildah, place: Path) -> str | None:
    named = re.search(r"^ARG PYTHON=(\S+)", CONTAINERFILE.read_text(), re.MULTILINE)
    assert named
    if buildah.has(named[1]):
        return named[1]
    if shutil.which("mmdebstrap") is None:
        print(f"skipped: {named[1]} cannot be had, and there is no mmdebstrap to make another base with")
        return None
    print(f"{named[1]} cannot be had: a base is made of Debian's packages")
    packages = "python3,python3-venv,ca-certificates"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", "trixie", "base.tar"]
    subprocess.run(command, cwd=place, check=True)
    (place / "Base").write_text(DEBIAN)
    buildah.build(place / "Base", named[1], cwd=place)
    (place / "base.tar").unlink()
    return named[1]


def _walked(buildah: Buildah, place: Path) -> int:
    container = buildah("from", "--pull-never", "localhost/keyturn")
    config: dict[str, Any] = json.loads(buildah("inspect", "--type", "image", "localhost/keyturn"))["Docker"]["config"]
    mounted = buildah("mount", container)
    try:
        data = place / "data"
        shutil.copytree(Path(mounted) / "var/lib/keyturn", data)
        user, _, group = config["User"].partition(":")
        os.chown(data, int(user), int(group))
        data.chmod(0o700)
        for above in Path(mounted).parents:
            if above.is_relative_to(place):
                above.chmod(0o711)
        hosts = place / "hosts"
        hosts.write_text("127.0.0.1 localhost keycloak\n")
        walk = _command(Path(mounted), data, hosts, config)
        lines = WALKTHROUGH.read_text().split("\n\n", 1)[1]  # the first is the log-in, before which a realm is missing
        begun = time.monotonic()
        done = subprocess.run(
            walk, input=lines, text=True, timeout=120, check=False, user=int(user), group=int(group), extra_groups=[]
        )
        seconds = time.monotonic() - begun
        print(f"{'walked through' if done.returncode == 0 else 'FAILED'} in {seconds:.1f} seconds")
        return done.returncode
    finally:
        buildah("umount", container)
        buildah("rm", container)


def _command(root: Path, data: Path, hosts: Path, config: dict[str, Any]) -> list[str]:
    """What runs ``walk.sh`` in the image, as an engine told to be strict would."""
    user, _, group = config["User"].partition(":")
    given = dict(pair.split("=", 1) for pair in config["Env"]) | {
        "KEYTURN_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KEYTURN_BOOTSTRAP_ADMIN_PASSWORD": "walked-through",
        "KEYTURN_TLS_DEVELOPMENT_NAME": "keycloak",
        "KEYCLOAK_ADMIN_USER": "admin",
        "KEYCLOAK_ADMIN_PASSWORD": "walked-through",
    }
    health = config["Healthcheck"]["Test"]
    assert health[:3] == ["CMD", "python", "-c"]
    (volume,) = config["Volumes"]
    script = Path(__file__).with_name("walk.sh").read_text()
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--uid", user, "--gid", group),
        *("--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
        *("--bind", str(data), volume, "--ro-bind", str(hosts), "/etc/hosts", "--chdir", "/", "--clearenv"),
        *(part for name, value in given.items() for part in ("--setenv", name, value)),
        *("bash", "-c", script, "walk.sh", health[3], *config["Entrypoint"], *config["Cmd"]),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
