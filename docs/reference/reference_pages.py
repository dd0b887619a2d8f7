"""Writes the reference from the code: ``python docs/reference/reference_pages.py``.

The admin API by noun, the endpoints of a realm, the documents field by field, what Keycloak serves and keyturn does
not, the commands of kcadm, and the table of fields in ``compatibility.md``.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from keyturn.admin.openapi.document import admin_documents
from keyturn.admin.openapi.operations import Body, Operation, operations
from keyturn.admin.openapi.schemas import Document, Field, shown
from keyturn.admin.openapi.texts import texts
from keyturn.admin.resources import RESOURCES
from keyturn.http.metric_families import BUCKETS, FAMILIES
from keyturn.http.openapi_document import document

HERE = Path(__file__).parent
COMPATIBILITY = HERE.parent / "compatibility.md"
KEYCLOAK = HERE / "keycloak_endpoints.txt"
MARKED = re.compile(r"(<!-- fields: written by reference_pages\.py -->\n).*?(<!-- end -->\n)", re.DOTALL)
NOTICE = "<!-- Written by reference_pages.py: do not edit. -->"
SUCCESS = {200: "200", 201: "201 with `Location`", 204: "204"}
COMMANDS = (
    "kcadm",
    "config",
    "config.credentials",
    "config.truststore",
    "get",
    "create",
    "update",
    "delete",
    "get-roles",
    "add-roles",
    "remove-roles",
    "set-password",
    "new-object",
)


def pages() -> dict[Path, str]:
    """Every page with its text."""
    found = {HERE / "admin-api" / f"{slug(tag)}.md": noun_page(tag) for tag in tags()}
    found[HERE / "admin-api" / "README.md"] = index_page()
    found[HERE / "protocol.md"] = protocol_page()
    found[HERE / "representations.md"] = representations_page()
    found[HERE / "not-served.md"] = not_served_page()
    found[HERE / "kcadm.md"] = kcadm_page()
    found[HERE / "metrics.md"] = metrics_page()
    found[COMPATIBILITY] = compatibility_page(COMPATIBILITY.read_text(encoding="utf-8"))
    return found


@cache
def all_operations() -> tuple[Operation, ...]:
    return operations(RESOURCES)


@cache
def all_documents() -> tuple[Document, ...]:
    return tuple(admin_documents(RESOURCES))


def tags() -> list[str]:
    return sorted({operation.tag for operation in all_operations()})


def slug(name: str) -> str:
    return name.replace(" ", "-").lower()


def page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", NOTICE, *(part.strip("\n") for part in parts))) + "\n"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    heads = list(heads)
    return "\n".join([line(heads), f"|{'---|' * len(heads)}", *(line(row) for row in rows)])


def index_page() -> str:
    rows = [(f"[{tag}]({slug(tag)}.md)", texts().about[tag]) for tag in tags()]
    return page(
        "The admin API",
        "Keycloak's admin REST API, as far as keyturn serves it. As OpenAPI 3.1, every running server has the same at\n"
        "`/admin/openapi.json`, and on the management port at `/openapi`. No token is needed: it tells nothing of any\n"
        "realm.",
        table(("Noun", "What it is about"), rows),
        "## Who may call\n\n"
        "Calls take `Authorization: Bearer` with an access token of `master`, or of the realm that they concern. The\n"
        "rights are those that its user holds at the moment: roles of the client `realm-management` in the realm, or\n"
        "of `<realm>-realm` in `master`.",
        "## Errors\n\n"
        "Any call may answer 400 (refused), 401 (no token that counts), 403 (no right), 404 (something on the path is\n"
        "not there, or a number is none), 406, 409 (a name is taken), 413, 415, 500 (the log says why) and 503 (the\n"
        "database cannot be used now), with `error` and perhaps `error_description`, or with `errorMessage`, as\n"
        "Keycloak does. 501 is for what Keycloak has off by default.",
    )


def noun_page(tag: str) -> str:
    found = [each for each in all_operations() if each.tag == tag and not each.deprecated]
    note = ""
    if any(each.tag == tag and each.deprecated for each in all_operations()):
        note = "Whatever is below `client-scopes` is below `client-templates` as well, as in Keycloak."
    return page(tag.capitalize(), texts().about[tag], *filter(None, [note]), *(section(each) for each in found))


def section(operation: Operation) -> str:
    path = operation.path.removeprefix("/admin")
    parts = [f"## {operation.method} {path}", operation.summary, f"Takes {operation.right}."]
    if operation.parameters:
        parts.append(table(("Parameter", "In", "Type", "Meaning"), map(row, operation.parameters)))
    facts = []
    if operation.body is not None:
        may = "" if operation.body.required else ", which may be missing"
        facts.append(f"Body: {kind(operation.body)}{may}.")
    answers = ", or ".join(
        SUCCESS[status] + (f" with {kind(body)}" if body is not None else "")
        for status, body in operation.answers.items()
    )
    facts.append(f"Answers {answers}." if answers else "Answers an error, always.")
    return "\n\n".join((*parts, " ".join(facts)))


def row(parameter: Any) -> tuple[str, str, str, str]:
    schema = parameter.schema
    text = parameter.text
    if parameter.default not in (None, ()):
        default = str(parameter.default).lower() if isinstance(parameter.default, bool) else str(parameter.default)
        text += f" `{default}` unless it is given."
    type_ = "strings" if schema["type"] == "array" else schema["type"]
    return f"`{parameter.name}`", parameter.within, type_, text


def kind(body: Body) -> str:
    if body.kind is bytes:
        return f"text (`{body.media_type}`)"
    return linked(shown(body.kind), "../representations.md")


def linked(type_: str, target: str = "") -> str:
    names = {each.name for each in all_documents()}
    return re.sub(
        r"\w+", lambda match: f"[{match[0]}]({target}#{match[0].lower()})" if match[0] in names else match[0], type_
    )


def representations_page() -> str:
    found = all_documents()
    return page(
        "Representations",
        "The documents of the [admin API](admin-api/README.md). Fields may be absent; `null` reads as absent unless a\n"
        "field says otherwise, and is never answered.",
        "Each field says what becomes of it. *Acted on*: it has its effect. *Kept for …*: it is stored, and answered\n"
        "where Keycloak answers it, and means nothing until there is what it is for. *Told*: it is answered, and not\n"
        "taken. *Ignored*: neither.",
        *(document_section(each) for each in found),
    )


def document_section(found: Document) -> str:
    rows = [(f"`{each.name}`", linked(each.type), meaning(each), use(each)) for each in found.fields]
    return f"## {found.name}\n\n{found.text}\n\n" + table(("Field", "Type", "Meaning", "Use"), rows)


def meaning(field: Field) -> str:
    return f"{field.text} **Secret.**".strip() if field.secret else field.text


def use(field: Field) -> str:
    match field.use:
        case "kept":
            return f"kept for {field.why}"
        case "ignored":
            return f"ignored: {field.why}"
        case other:
            return other


def protocol_page() -> str:
    described = document()
    paths = {path: found for path, found in described["paths"].items() if path.startswith("/realms/")}
    return page(
        "Endpoints of a realm",
        "What clients and resource servers use. Everything takes and answers what the RFCs say.",
        *(part for path, methods in paths.items() for part in protocol_sections(path, methods)),
    )


def protocol_sections(path: str, methods: Mapping[str, Any]) -> Iterator[str]:
    for method, described in methods.items():
        if method == "parameters":
            continue
        parts = [f"## {method.upper()} {path}", f"{described['summary']}. {described.get('description', '')}".strip()]
        parts += form_tables(described)
        statuses = [
            f"- {status}: {answer['description']}"
            for status, answer in described["responses"].items()
            if "description" in answer
        ]
        yield "\n\n".join((*parts, "\n".join(statuses)))


def form_tables(described: Mapping[str, Any]) -> Iterator[str]:
    if "requestBody" not in described:
        return
    (content,) = described["requestBody"]["content"].values()
    for form in content["schema"].get("oneOf", [content["schema"]]):
        yield table(
            ("Parameter", "Required", "Meaning"),
            [
                (
                    f"`{name}`",
                    "yes" if name in form["required"] else "",
                    field.get("description") or f"`{field['const']}`",
                )
                for name, field in form["properties"].items()
            ],
        )


def not_served_page() -> str:
    served = {(each.method, anonymous(each.path)) for each in all_operations()}
    missing: dict[str, list[str]] = {}
    for line in KEYCLOAK.read_text(encoding="utf-8").splitlines():
        method, _, path = line.partition(" ")
        if method != "#" and (method, anonymous(path)) not in served:
            missing.setdefault(path, []).append(method)
    rows = [
        (f"`{path.removeprefix('/admin/realms/{realm}/')}`", ", ".join(methods)) for path, methods in missing.items()
    ]
    return page(
        "What Keycloak serves and keyturn does not",
        "Of the admin API of Keycloak 26.7.3, below `/admin/realms/{realm}/`. Why:\n"
        "[compatibility](../compatibility.md). "
        f"It is {sum(len(methods) for methods in missing.values())} of {total()} operations.",
        table(("Path", "Methods"), rows),
    )


def total() -> int:
    return sum(not line.startswith("#") for line in KEYCLOAK.read_text(encoding="utf-8").splitlines())


def anonymous(path: str) -> str:
    """`path` without the names of what takes any text."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def metrics_page() -> str:
    rows = [(f"`{f.name}`", f.kind, ", ".join(f"`{label}`" for label in f.labels), f.help) for f in FAMILIES]
    bounds = ", ".join(map(str, BUCKETS))
    return page(
        "Metrics",
        "`/metrics` on the management port, in Prometheus' text format. How to use them:\n"
        "[watch a server](../how-to/watch-a-server.md). "
        f"Histograms have the bounds {bounds} seconds.",
        table(("Name", "Kind", "Labels", "What it is"), rows),
    )


def kcadm_page() -> str:
    folder = files("keyturn.cli.kcadm") / "texts"
    parts = []
    for command in COMMANDS:
        text = (folder / f"{command}.txt").read_text(encoding="utf-8").replace("{home}", "~")
        title = "kcadm.sh" if command == "kcadm" else f"kcadm.sh {command.replace('.', ' ')}"
        parts.append(f"## {title}\n\n```text\n{text.strip(chr(10))}\n```")
    return page(
        "kcadm",
        "`kcadm` and `kcadm.sh` are Keycloak's Admin CLI, word for word; these texts are its own (Apache License 2.0).",
        *parts,
    )


def compatibility_page(text: str) -> str:
    """`text` with the table of fields written anew."""
    rows = []
    for found in all_documents():
        if not found.sent:
            continue
        reasons: dict[str, list[str]] = {}
        for field in found.fields:
            if field.use in ("kept", "ignored"):
                reasons.setdefault(use(field), []).append(field.name)
        whole = len(found.fields)
        for reason, names in reasons.items():
            which = "all" if len(names) == whole else ", ".join(f"`{name}`" for name in names)
            rows.append((f"[{found.name}](reference/representations.md#{found.name.lower()})", which, reason))
    return MARKED.sub(lambda match: f"{match[1]}{table(('Document', 'Fields', 'Use'), rows)}\n{match[2]}", text)


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
