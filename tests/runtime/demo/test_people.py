"""What the benches say, and where a spoken word ends."""

import numpy as np

from runtime import starter
from runtime.demo.people import acoustic_span, load_lines
from runtime.mind.grammar import Grammar


def test_every_command_is_one_of_the_grammar_and_no_question_is() -> None:
    lines = load_lines()
    grammar = Grammar.load(starter.load_pack().path("grammar.yaml"))
    for said in lines.command:
        parse = grammar.parse(said.text)
        assert parse is not None, said.text
        assert parse.intent == said.meant
    assert all(said.meant is None and grammar.parse(said.text) is None for said in lines.question)
    assert len({said.text for said in (*lines.command, *lines.question)}) >= 60


def test_the_span_of_what_is_heard() -> None:
    samples = np.zeros(16_000, np.int16)
    samples[1_600:8_000] = 5_000
    samples[8_000:16_000] = 40
    assert acoustic_span(samples) == (1_600, 8_000)
    assert acoustic_span(np.zeros(1_000, np.int16)) == (0, 0)
    assert acoustic_span(np.zeros(0, np.int16)) == (0, 0)
