# everpaw: `make demo` shows the main job, `make test` proves it; both set up what they need.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q
INSTALL := $(PIP) install -c constraints.txt
VOICES := $(INSTALL) -e ".[voices]" || echo "everpaw: no Pico voices; they need a compiler" >&2
SOUND_CARD := $(INSTALL) -e ".[device]" || echo "everpaw: no PyAudio; it needs portaudio19-dev and a compiler" >&2
export OMP_WAIT_POLICY := PASSIVE

.PHONY: help setup demo test check bench torture fuzz schemas clean

help:
	@echo "make setup   everything to run and train, in $(VENV)"
	@echo "make demo    a whole conversation with a simulated robot; ARGS=\"--mic\" or ARGS=\"--audio my.wav\""
	@echo "make test    all tests"
	@echo "make check   style, types and import rules"
	@echo "make bench   every figure beside its peer, measured on this machine; half an hour"
	@echo "make fuzz    garbage for every reader; ARGS=\"wav --seconds 60\""
	@echo "make torture the long proofs of link, guard and dead-man; hours"

demo: $(VENV)/.run
	$(BIN)/everpaw demo $(ARGS)

test: $(VENV)/.all
	$(BIN)/python -m pytest -q $(ARGS)

check: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.all
	@mkdir -p build
	-$(BIN)/everpaw bench all --turns 200 --json build/bench.json --plot build/latency.png $(ARGS)
	-$(BIN)/everpaw eval scenarios
	$(BIN)/everpaw eval early --limit 160
	$(BIN)/python -m training.asr.command_rivals
	$(BIN)/python -m training.asr --evaluate runtime/starter/asr

setup: $(VENV)/.all

# The long proofs; hours. Interrupted, the same line goes on; a short form of each stands in the tests.
torture: $(VENV)/.all
	$(BIN)/python -m tests.torture $(ARGS)

# Everything that reads what comes from outside, fed with garbage; ten minutes each.
fuzz: $(VENV)/.all
	$(INSTALL) -e ".[fuzz]"
	$(BIN)/python -m tests.fuzz $(ARGS)

schemas: $(VENV)/.run
	$(BIN)/everpaw schemas --out runtime/contracts/schemas

$(BIN)/python:
	@scripts/system-packages python3-venv
	python3 -m venv $(VENV)
	$(PIP) install -U pip

# The robot's side and the owner's page. Without mosquitto a broker in Python takes its place; PyAudio comes where
# there is a sound card to speak through.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@scripts/system-packages mosquitto
	@if PATH="$$PATH:/usr/sbin" command -v mosquitto >/dev/null; then extras=cpu,voice,dashboard; else extras=cpu,voice,dashboard,broker; fi; \
	echo "everpaw: installing .[$$extras] into $(VENV)" >&2; $(INSTALL) -e ".[$$extras]"
	@if [ -d /dev/snd ]; then scripts/system-packages portaudio19-dev gcc python3-dev; $(SOUND_CARD); fi
	@touch $@

# The workstation's side and the tools of the tests.
$(VENV)/.all: $(VENV)/.run
	@scripts/system-packages mosquitto flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts \
		pocketsphinx pocketsphinx-en-us portaudio19-dev gcc python3-dev qemu-system-arm firmware-microbit-micropython faketime strace iproute2 \
		chromium chromium-driver fonts-wqy-microhei prometheus prometheus-alertmanager $$(command -v npm >/dev/null || echo nodejs npm)
	@echo "everpaw: installing the training and test extras into $(VENV)" >&2
	$(INSTALL) -e ".[cpu,voice,broker,pairing,training,clone,export,flash,update,dashboard,fleet,neighbours,test,lint]"
	@$(SOUND_CARD)
	@$(VOICES)
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
