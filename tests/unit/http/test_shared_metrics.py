"""The metrics of several workers, told by one of them."""

from keyturn.events.event import Event
from keyturn.http.metrics import Metrics
from keyturn.http.shared_metrics import Board, SharedMetrics, added_up


class Fixed:
    """Metrics that are what they are."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def text(self) -> bytes:
        return self._text


def samples(text: bytes) -> dict[str, float]:
    rows = (line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def counted(requests: int, seconds: float = 0.002) -> Metrics:
    metrics = Metrics()
    for _ in range(requests):
        metrics.count("token", "POST", 200, seconds)
    return metrics


TOKENS = 'keyturn_http_requests_total{endpoint="token",method="POST",status="200"}'


def test_whoever_is_asked_tells_what_all_have_counted() -> None:
    board = Board(2)
    first, second = SharedMetrics(counted(2), board, 0), SharedMetrics(counted(3, 0.02), board, 1)
    second.show()
    told = samples(first.text())
    assert told[TOKENS] == 5
    buckets = 'keyturn_http_request_duration_seconds_bucket{endpoint="token",le="%s"}'
    assert (told[buckets % "0.0025"], told[buckets % "0.025"], told[buckets % "+Inf"]) == (2, 5, 5)
    assert told['keyturn_http_request_duration_seconds_sum{endpoint="token"}'] == 0.064
    assert samples(second.text())[TOKENS] == 5


def test_a_worker_counts_on_where_the_one_before_it_has_ended() -> None:
    board = Board(2)
    SharedMetrics(counted(2), board, 0).show()
    again = SharedMetrics(counted(1), board, 0)
    assert samples(again.text())[TOKENS] == 3
    assert samples(again.text())[TOKENS] == 3
    assert samples(SharedMetrics(counted(1), board, 0).text())[TOKENS] == 4


def test_gauges_are_those_of_workers_that_are_there() -> None:
    board = Board(1)
    gauge = b"# HELP waiting Events.\n# TYPE waiting gauge\nwaiting 7\n"
    SharedMetrics(Fixed(gauge), board, 0).show()
    assert samples(SharedMetrics(Fixed(gauge), board, 0).text()) == {"waiting": 7}


def test_what_is_of_the_machine_or_the_program_is_not_added_up() -> None:
    board = Board(2)
    told = samples(added_up([SharedMetrics(counted(0), board, each).text() for each in range(2)]))
    alone = samples(Metrics().text())
    for name in alone:
        if name.startswith(("keyturn_build_info", "process_start_time_seconds", "process_max_fds")):
            assert told[name] == alone[name]


def test_labels_with_spaces_and_quotes_stay_as_they_are() -> None:
    metrics = Metrics()
    metrics.record(Event("LOGIN_ERROR", 'a "b" c}', "r", 0.0, "192.0.2.7", error="x y"))
    own = metrics.text()
    assert set(samples(added_up([own]))) == set(samples(own))
    assert [line for line in added_up([own]).splitlines() if line.startswith(b"#")] == [
        line for line in own.splitlines() if line.startswith(b"#")
    ]


def test_what_is_just_being_written_is_not_read() -> None:
    board = Board(2)
    SharedMetrics(Fixed(b"# HELP a A.\n# TYPE a counter\na 1\n"), board, 0).show()
    reader = SharedMetrics(Fixed(b""), board, 1)
    assert samples(reader.text()) == {"a": 1}
    board._pages[0][8] = ord("x")
    assert board.shown(0) is None
    assert samples(reader.text()) == {"a": 1}


def test_labels_may_have_what_ends_lines_elsewhere() -> None:
    text = '# HELP events Events.\n# TYPE events counter\nevents{realm="a\u2028b\x85"} 2\n'.encode()
    assert added_up([text, text]) == text.replace(b"2\n", b"4\n")
