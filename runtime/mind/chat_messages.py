"""A `Prompt` as the messages of a chat: persona, facts and rules for the system, then what was said."""

from runtime.mind.prompt import NO_ACT, Prompt

Message = dict[str, str]
_MANNER = """You are the voice of {name}, a small robot pet. You speak aloud, so you answer in one or two
short, warm sentences of plain words, {words} words at most: no lists, emoji, stage directions or markup.
You are a robot and never claim to be alive, to feel pain, or to be a real animal; no talk of heaven.
Never make anyone feel guilty for leaving, never ask anyone to stay, sell nothing, give no medical, legal or
money advice. Name no names and no numbers but those that stand here. Where you do not know, say so.
If somebody seems to be in danger, tell them to talk to a person they trust or to call an emergency number."""


def messages(prompt: Prompt, max_words: int) -> list[Message]:
    """For /chat/completions, oldest first."""
    turns = [
        message
        for heard, said in prompt.history
        for message in ({"role": "user", "content": heard}, {"role": "assistant", "content": said})
    ]
    return [
        {"role": "system", "content": system(prompt, max_words)},
        *turns,
        {"role": "user", "content": prompt.heard},
    ]


def system(prompt: Prompt, max_words: int) -> str:
    """All that the model is told besides the conversation."""
    manner = " ".join(_MANNER.format(name=prompt.name, words=max_words).split())
    parts = [manner, _list("About you", prompt.card), _list("What your person told you", prompt.facts)]
    parts.append(f"Your mood is {prompt.mood}; let the words show it.")
    if prompt.act != NO_ACT:
        act = prompt.act.replace("_", " ")
        parts.append(
            f"With your answer your body does this, and nothing else: {act}. Promise no other movement."
        )
    else:
        parts.append("Your body keeps still; promise no movement.")
    return "\n".join(part for part in parts if part)


def _list(title: str, lines: tuple[str, ...]) -> str:
    return f"{title}: " + " ".join(line.rstrip(".") + "." for line in lines) if lines else ""
