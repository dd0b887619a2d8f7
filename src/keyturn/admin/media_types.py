"""Media types in Accept and Content-Type (RFC 9110 §12.5.1, §8.3.1)."""

__all__ = ["accepted", "essence"]


def essence(media_type: str | None) -> str:
    """``type/subtype`` in lower case, without parameters; empty where there is none."""
    return (media_type or "").partition(";")[0].strip().lower()


def accepted(produced: str, accept: str | None) -> bool:
    """Whether a client that sends `accept` takes `produced`; preference does not matter as there is one choice."""
    if accept is None or not accept.strip():
        return True
    kind = produced.partition("/")[0]
    for item in accept.split(","):
        offered = essence(item)
        if offered in {produced, "*/*", f"{kind}/*", "*"} and not _refused(item):
            return True
    return False


def _refused(item: str) -> bool:
    for parameter in item.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value) == 0
            except ValueError:
                return False
    return False
