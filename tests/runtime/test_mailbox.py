"""The hand-over from ears to mind."""

import threading

import numpy as np

from runtime.audio.stop import StopHit
from runtime.audio.turns import SpeechGrows, Utterance
from runtime.ears import Heard
from runtime.mailbox import LIMIT, Mailbox

NOTHING = np.zeros(0, np.int16)


def grows(start_s: float, now_s: float) -> SpeechGrows:
    return SpeechGrows(NOTHING, start_s, now_s)


def heard(start_s: float) -> Heard:
    return Heard(Utterance(NOTHING, start_s, start_s + 1, cut=False), stop=False)


def test_only_the_newest_look_waits() -> None:
    mail = Mailbox()
    mail.show(grows(1.0, 1.2))
    newest = grows(1.0, 1.3)
    mail.show(newest)
    assert mail.take(0) is newest
    assert mail.take(0) is None


def test_it_knows_the_silence_of_the_look_that_waits() -> None:
    mail = Mailbox()
    mail.show(SpeechGrows(NOTHING, 1.0, 1.3, silence_s=0.096))
    assert mail.silent_s(1.0) == 0.096
    assert mail.silent_s(2.0) == 0.0
    mail.take(0)
    assert mail.silent_s(1.0) == 0.0


def test_a_whole_utterance_makes_its_looks_useless() -> None:
    mail = Mailbox()
    mail.show(grows(1.0, 1.2))
    whole = heard(1.0)
    assert mail.put(whole)
    assert mail.take(0) is whole
    assert mail.take(0) is None


def test_a_look_at_the_next_utterance_is_kept() -> None:
    mail = Mailbox()
    later = grows(3.0, 3.2)
    mail.show(later)
    mail.put(heard(1.0))
    mail.take(0)
    assert mail.take(0) is later


def test_utterances_keep_their_order_and_a_fifth_is_refused() -> None:
    mail = Mailbox()
    waiting = [StopHit(float(n), 1.0) for n in range(LIMIT)]
    assert all(mail.put(hit) for hit in waiting)
    assert not mail.put(StopHit(9.0, 1.0))
    assert [mail.take(0) for _ in waiting] == waiting
    assert mail.open == LIMIT
    for _ in waiting:
        mail.done()
    assert mail.open == 0


def test_closing_wakes_who_waits_and_leaves_what_was_put() -> None:
    mail = Mailbox()
    last = heard(1.0)
    mail.put(last)
    mail.close()
    assert not mail.closed
    assert mail.take(0) is last
    assert mail.closed
    taken: list[object] = []
    waiter = threading.Thread(target=lambda: taken.append(mail.take(30)))
    waiter.start()
    waiter.join(5)
    assert taken == [None]
