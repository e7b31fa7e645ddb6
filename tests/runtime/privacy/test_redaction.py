"""No word of what was heard in a log, whoever logs it and whatever breaks."""

import io
import logging
import sys

from runtime.privacy.redaction import Redacting, Redactor

HEARD = "the attic key lies under the third flowerpot"


def logged(redactor: Redactor, line: str, error: BaseException | None = None) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Redacting(logging.Formatter("everpaw: %(message)s"), redactor))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        if error is not None:
            raise error
    except BaseException:
        logger.exception(line)
    else:
        logger.warning(line)
    return out.getvalue()


def test_words_are_masked_and_the_rest_stays() -> None:
    redactor = Redactor()
    redactor.hide(HEARD)
    out = logged(redactor, "'Under the third Flowerpot' is no value; the memory in /x has 240 letters")
    assert "lowerpot" not in out
    assert "hird" not in out
    assert "is no value" in out
    assert "/x has 240 letters" in out


def test_tracebacks_tell_where_and_not_what() -> None:
    out = logged(Redactor(), "the mind stumbled", ValueError(f"cannot parse {HEARD!r}"))
    assert "flowerpot" not in out
    assert "ValueError" in out
    assert f"{__name__.rpartition('.')[2]}.py" in out


def test_without_it_the_words_would_be_there() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        raise ValueError(HEARD)
    except ValueError:
        logger.error("it stumbled", exc_info=sys.exc_info())
    assert "flowerpot" in out.getvalue()
