"""What deployments are made of: the container file, the systemd unit, the Helm chart. No engine is needed."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyturn import __version__
from keyturn.config import SETTINGS, Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TYPES = ROOT / "tests" / "chart"
CHART = DEPLOY / "helm" / "keyturn"
UNIT = DEPLOY / "systemd" / "keyturn.service"
HELM = shutil.which("helm", path=ROOT / ".venv" / "bin") or shutil.which("helm")
VARIABLES = {setting.variable for setting in SETTINGS}
PORTS = {"8080", "8443", "9000"}


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "container" / "Containerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split()[0], " ".join(line.split()[1:])) for line in text.splitlines() if line.strip()]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def test_the_container_is_nobody_special_and_writes_to_its_data_alone() -> None:
    stage = last_stage()
    names = [name for name, _ in stage]
    user = dict(stage)["USER"]
    assert re.fullmatch(r"[1-9][0-9]+:[1-9][0-9]+", user)
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    assert dict(stage)["VOLUME"] == "/var/lib/keyturn"
    assert set(dict(stage)["EXPOSE"].split()) == PORTS


def test_the_container_has_kcadm_where_keycloaks_image_has_it() -> None:
    runs = " ".join(arguments for name, arguments in instructions() if name == "RUN")
    assert "ln -s /opt/keyturn/bin/kcadm.sh /opt/keycloak/bin/kcadm.sh" in runs
    copied = [arguments for name, arguments in last_stage() if name == "COPY"]
    assert "--from=build /opt/keycloak /opt/keycloak" in copied
    assert "--from=build /opt/keyturn /opt/keyturn" in copied
    assert "kcadm.sh" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def test_what_the_container_takes_from_here_is_here_and_not_ignored() -> None:
    ignored = (DEPLOY / "container" / "Containerfile.dockerignore").read_text().split()
    let_in = [line[1:].removesuffix("/**") for line in ignored if line.startswith("!")]
    for name, arguments in instructions():
        if name != "COPY" or arguments.startswith("--from="):
            continue
        for source in arguments.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(Path(source).match(pattern) for pattern in let_in), source
    assert ignored[0] == "*"


def test_the_containers_settings_are_settings() -> None:
    (environment,) = (arguments for name, arguments in last_stage() if name == "ENV")
    given = dict(pair.split("=", 1) for pair in environment.split())
    assert {name for name in given if name.startswith("KEYTURN_")} <= VARIABLES
    assert not load({}, given).warnings


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_runs_commands_that_there_are() -> None:
    found = unit()
    assert re.match(r"/opt/keyturn/bin/keyturn serve --config ", found["ExecStart"][0])
    assert re.match(r"/opt/keyturn/bin/keyturn doctor --offline --config ", found["ExecStartPre"][0])
    assert {pair.partition("=")[0] for pair in found["Environment"]} <= VARIABLES


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_finds_the_unit_right_and_little_exposed(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/keyturn/bin/keyturn", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (verified.returncode, [line for line in verified.stderr.splitlines() if UNIT.name in line]) == (0, [])
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(copy)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in judged.stderr:
        pytest.skip("this systemd-analyze judges no files")
    assert judged.returncode == 0, judged.stdout[-200:]


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return found


def test_the_charts_settings_are_settings() -> None:
    assert values()["settings"].keys() <= {setting.key for setting in SETTINGS}
    text = (CHART / "templates" / "settings.yaml").read_text()
    assert set(re.findall(r"^    ([a-z-]+) = ", text, re.MULTILINE)) <= {setting.key for setting in SETTINGS}
    pods = (CHART / "templates" / "pods.yaml").read_text()
    assert set(re.findall(r"KEYTURN_[A-Z_]+", pods)) <= VARIABLES
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_each_value_of_the_chart_is_used_and_each_that_is_used_is_there() -> None:
    templates = "".join(path.read_text() for path in (CHART / "templates").iterdir())
    used = set(re.findall(r"\.Values\.([A-Za-z.]+)", templates))

    def paths(tree: dict[str, Any], above: str = "") -> set[str]:
        found = set()
        for name, value in tree.items():
            inner = isinstance(value, dict) and value and f"{above}{name}" not in used
            found |= paths(value, f"{above}{name}.") if inner else {f"{above}{name}"}
        return found

    assert paths(values()) == used


def check_types(documents: list[dict[str, Any]]) -> None:
    """That Kubernetes' own types have every field of the documents. Needs Go."""
    if shutil.which("go") is None:
        return
    text = "\n---\n".join(yaml.safe_dump(each) for each in documents)
    done = subprocess.run(["go", "run", "."], input=text, cwd=TYPES, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{len(documents)} are right\n"), done.stderr[-2000:]


def rendered(*options: str) -> list[dict[str, Any]]:
    assert HELM
    output = subprocess.run([HELM, "template", "keyturn", CHART, *options], capture_output=True, text=True, check=False)
    if output.returncode:
        raise ValueError(output.stderr)
    return [document for document in yaml.safe_load_all(output.stdout) if document]


EVERYTHING = (
    *("--set", "metrics.serviceMonitor=true,settings.mtls-port=8444,service.type=LoadBalancer,nodeSelector.a=b"),
    *(
        "--set",
        "ingress.host=sso.example.org,ingress.className=c,ingress.tlsSecret=t,settings.proxy-headers=xforwarded",
    ),
    *("--set-json", 'networkPolicy={"enabled":true,"clients":[{"podSelector":{}}],"monitoring":[{"podSelector":{}}]}'),
    *("--set-json", 'tolerations=[{"key":"a","operator":"Exists"}]', "--set-json", 'ingress.annotations={"a":"b"}'),
)
SHARED = ("--set", "replicas=3,database.secret=d,sealKey.secret=s,tls.secret=t,administrator.secret=a")


@pytest.mark.full
@pytest.mark.skipif(not HELM, reason="there is no helm; `make helm` installs it with Go")
@pytest.mark.parametrize(
    "options", [(), SHARED, (*SHARED, "--set", "metrics.serviceMonitor=true"), (*SHARED, *EVERYTHING)]
)
def test_the_chart_makes_pods_that_may_do_little(options: tuple[str, ...], tmp_path: Path) -> None:
    assert HELM
    subprocess.run([HELM, "lint", "--strict", CHART, *options], check=True, capture_output=True)
    documents = rendered(*options)
    check_types(documents)
    (pods,) = (each for each in documents if each["kind"] == "StatefulSet")
    pod = pods["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    claimed = {claim["metadata"]["name"] for claim in pods["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in pod["volumes"]} | claimed
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert ("data" in claimed) is (options == ())
    (settings,) = (each for each in documents if each["kind"] == "ConfigMap")
    file = tmp_path / "keyturn.toml"
    file.write_text(settings["data"]["keyturn.toml"])
    loaded = load({}, {}, file).settings
    assert isinstance(loaded, Settings)
    assert (loaded.host, loaded.log_format) == ("0.0.0.0", "json")
    assert {kind["kind"] for kind in documents} >= {"Service", "StatefulSet", "ConfigMap"}


@pytest.mark.full
@pytest.mark.skipif(not HELM, reason="there is no helm; `make helm` installs it with Go")
def test_the_chart_refuses_pods_that_could_not_work_together() -> None:
    with pytest.raises(ValueError, match=r"several replicas need database\.secret"):
        rendered("--set", "replicas=2")
    with pytest.raises(ValueError, match=r"database\.secret needs sealKey\.secret"):
        rendered("--set", "database.secret=d")
    with pytest.raises(ValueError, match=r"ingress\.host needs settings\.proxy-headers"):
        rendered("--set", "ingress.host=sso.example.org,settings.proxy-headers=none")


@pytest.mark.full
@pytest.mark.skipif(not HELM, reason="there is no helm; `make helm` installs it with Go")
def test_the_chart_leaves_out_no_setting_that_is_given(tmp_path: Path) -> None:
    given = "settings.shutdown-timeout=0,settings.features={},settings.proxy-headers="
    (settings,) = (each for each in rendered("--set", given) if each["kind"] == "ConfigMap")
    told = tomllib.loads(settings["data"]["keyturn.toml"])
    assert told["shutdown-timeout"] == 0
    assert "proxy-headers" not in told


def test_the_units_user_can_read_its_settings() -> None:
    """A user that exists only while it runs is in no group that could read what is not for all."""
    assert unit()["DynamicUser"] == ["yes"]
    assert unit()["ConfigurationDirectoryMode"] == ["0755"]
    page = (ROOT / "docs" / "how-to" / "deploy.md").read_text()
    assert "install -D -m 644 keyturn.toml /etc/keyturn/keyturn.toml" in page
