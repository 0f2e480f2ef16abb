"""Train SmolLM2 for diversity in a few lines of Python: two steps on a CPU, some minutes.

    python examples/train_grpo.py [MODEL]

MODEL is a name or folder; the default is SmolLM2-135M-Instruct from its package, which needs no network.
"""

import sys

import torch
from datasets import load_dataset
from peft import LoraConfig

from hfdiv import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.demo.model import load_model
from hfdiv.rewards import get_reward
from hfdiv.trainer import DiversityCallback


model, tokenizer = load_model(sys.argv[1] if len(sys.argv) > 1 else None)
on_gpu = torch.cuda.is_available()
config = DiverseGRPOConfig(
    output_dir="output/train_grpo",
    diversity_form="advantage",
    diversity_weight=0.3,
    diversity_finished_only=False,  # 24 tokens are too few for a reply to end
    max_steps=2,
    per_device_train_batch_size=4,
    num_generations=4,
    max_completion_length=24,
    logging_steps=1,
    use_cpu=not on_gpu,
    bf16=on_gpu,
    gradient_checkpointing=False,
)
trainer = DiverseGRPOTrainer(
    model,
    reward_funcs=[get_reward("length_guard", minimum=5, maximum=30), get_reward("repetition_reward")],
    args=config,
    train_dataset=load_dataset("json", data_files="examples/data/questions.jsonl", split="train"),
    processing_class=tokenizer,
    peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
)
held_out = load_dataset("json", data_files="examples/data/held_out.jsonl", split="train")
trainer.add_callback(DiversityCallback(trainer, held_out, num_return_sequences=2, finished_only=False))
trainer.train()
trainer.save_model()
for entry in trainer.state.log_history:
    if "diversity/held_out/distinct_2" in entry:
        print(f"step {entry['step']}: held-out distinct-2 {entry['diversity/held_out/distinct_2']:.3f}")
