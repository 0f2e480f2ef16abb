"""The scripts that learn from given replies: SFT, and preference by DPO, CPO, SimPO and ORPO."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTTrainer

from hfdiv.trainer import launch
from hfdiv.trainer.cpo import DiverseCPOTrainer
from hfdiv.trainer.dpo import DiverseDPOTrainer
from hfdiv.trainer.orpo import DiverseORPOTrainer
from hfdiv.trainer.preference import PAIR_WEIGHT
from hfdiv.trainer.scripts.arguments import parse
from hfdiv.trainer.scripts.cpo import CPO
from hfdiv.trainer.scripts.dpo import DPO
from hfdiv.trainer.scripts.orpo import ORPO
from hfdiv.trainer.scripts.run import main
from hfdiv.trainer.scripts.sft import SFT
from hfdiv.trainer.scripts.simpo import SIMPO
from tests.trainer.chat_pairs import chat_pairs
from tests.trainer.tiny_chat import tiny_chat_folder


METHODS = {"sft": SFT, "dpo": DPO, "cpo": CPO, "simpo": SIMPO, "orpo": ORPO}
WITH_PAIRS = [name for name in METHODS if name != "sft"]


@pytest.fixture
def pairs(tmp_path):
    return chat_pairs(tmp_path)


@pytest.fixture
def recipe(pairs, tmp_path):
    """Write a recipe, which is YAML as all JSON is, and return its path."""

    def write(**changes):
        values = {
            "model_name_or_path": tiny_chat_folder(),
            "dataset_name": str(pairs),
            "output_dir": str(tmp_path / "out"),
            "max_steps": 2,
            "per_device_train_batch_size": 2,
            "max_length": 32,
            "learning_rate": 0.01,
            "logging_steps": 1,
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "use_cpu": True,
            "bf16": False,
            **changes,
        }
        path = tmp_path / "recipe.yaml"
        path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
        return str(path)

    return write


@pytest.fixture
def trainers(monkeypatch):
    """The trainers that scripts make."""
    made = []
    for trainer_class in (SFTTrainer, DiverseDPOTrainer, DiverseCPOTrainer, DiverseORPOTrainer):
        monkeypatch.setattr(trainer_class, "end", lambda trainer: made.append(trainer), raising=False)
    return made


def test_the_launcher_knows_a_script_of_each_name():
    assert {*METHODS, "grpo", "rloo"} == set(launch.METHODS)
    scripts = Path(launch.__file__).parent / "scripts"
    assert all((scripts / f"{name}.py").is_file() for name in launch.METHODS)


@pytest.mark.parametrize("name", WITH_PAIRS)
def test_pairs_from_logs_train_with_weights_and_leave_a_model_and_its_card(name, recipe, tmp_path, trainers):
    main(METHODS[name], ["--config", recipe()])
    (trainer,) = trainers
    assert trainer.state.global_step == 2
    weights = trainer.train_dataset[PAIR_WEIGHT][:]
    assert len(set(weights)) > 1
    card = (tmp_path / "out" / "README.md").read_text()
    assert "with a weight for each preference pair, by how far the chosen reply deviates" in card
    assert f"The {len(weights)} weights have a mean of {sum(weights) / len(weights):.3f}" in card
    trained = AutoModelForCausalLM.from_pretrained(tmp_path / "out").state_dict()
    before = AutoModelForCausalLM.from_pretrained(tiny_chat_folder()).state_dict()
    assert any(not torch.equal(trained[key], before[key]) for key in before)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template


def test_simpo_is_cpo_with_its_loss_and_no_likelihood_term():
    arguments = ["--output_dir", "out"]
    _, training, _ = parse(SIMPO, arguments)
    assert (training.loss_type, training.cpo_alpha) == ("simpo", 0.0)
    _, training, _ = parse(CPO, arguments)
    assert (training.loss_type, training.cpo_alpha) == ("sigmoid", 1.0)
    _, training, _ = parse(SIMPO, [*arguments, "--cpo_alpha", "0.5"])
    assert training.cpo_alpha == 0.5


def test_fine_tuning_takes_the_replies_of_the_same_folder_and_watches_held_out_prompts(recipe, tmp_path, trainers):
    held_out = tmp_path / "held_out.jsonl"
    held_out.write_text('{"prompt": [{"role": "user", "content": "order blue"}]}\n')
    watch = {"watch_dataset": str(held_out), "watch_steps": 1, "watch_num_return_sequences": 2}
    watch |= {"watch_finished_only": False, "watch_max_new_tokens": 4}
    main(SFT, ["--config", recipe(dataset_config="sft", **watch)])
    (trainer,) = trainers
    assert len(trainer.train_dataset) == 4
    steps = [entry["step"] for entry in trainer.state.log_history if "diversity/held_out/distinct_2" in entry]
    assert steps == [0, 1, 2]


@pytest.mark.parametrize("name", METHODS)
def test_an_adapter_is_merged_for_the_next_stage(name, recipe, tmp_path, trainers):
    lora = {"use_peft": True, "lora_r": 2, "lora_target_modules": "all-linear", "merge_adapter": True}
    config = "sft" if name == "sft" else None
    main(METHODS[name], ["--config", recipe(**lora, max_steps=1, dataset_config=config)])
    assert json.loads((tmp_path / "out" / "adapter_config.json").read_text())["r"] == 2
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "merged")
    with_adapter = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    base = AutoModelForCausalLM.from_pretrained(tiny_chat_folder())
    ids = torch.tensor([[3, 4, 5, 6]])
    logits = [model.eval()(ids).logits for model in (merged, with_adapter, base)]
    assert torch.allclose(logits[0], logits[1], atol=1e-5)
    assert not torch.allclose(logits[0], logits[2], atol=1e-5)
    main(
        METHODS[name], ["--config", recipe(model_name_or_path=str(tmp_path / "out" / "merged"), dataset_config=config)]
    )
    assert len(trainers) == 2


def test_a_model_without_a_padding_token_is_padded_with_its_end(recipe, tmp_path, trainers):
    folder = tmp_path / "no_pad"
    AutoModelForCausalLM.from_pretrained(tiny_chat_folder()).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_chat_folder())
    tokenizer.pad_token = None
    tokenizer.save_pretrained(folder)
    main(ORPO, ["--config", recipe(model_name_or_path=str(folder))])
    assert trainers[0].processing_class.pad_token == tokenizer.eos_token


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("dpo", {"dataset_config": "sft"}, "no pairs: it needs `chosen` and `rejected`; its columns are ['prompt', "),
        ("sft", {}, "no replies: it needs `messages` or `prompt` and `completion` or `text`; its columns are"),
        ("orpo", {"dataset_name": None}, "give `dataset_name`"),
        ("dpo", {"loss_type": "aot"}, "`loss_type='aot'` takes no pair weights"),
        ("simpo", {"pair_weighting": "column"}, "The dataset has no column 'weight'"),
        ("dpo", {"reward_functions": ["relevance"]}, "`reward_functions` in "),
        ("dpo", {"merge_adapter": True}, "`merge_adapter` needs `use_peft: true`"),
        ("sft", {"merge_adapter": True, "use_peft": True, "load_in_4bit": True}, "not for a quantized model"),
        ("cpo", {"model_name_or_path": None}, "give `model_name_or_path`"),
        ("dpo", {"eval_strategy": "steps", "eval_steps": 1}, "no split 'test'; it has ['train']"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(name, changes, message, recipe, capsys):
    with pytest.raises(SystemExit) as stop:
        main(METHODS[name], ["--config", recipe(**changes)])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    (line,) = (line for line in error.splitlines() if line.startswith("Error: "))
    assert message in line


def test_an_adapter_is_no_model_to_start_from(recipe, tmp_path, capsys, trainers):
    main(DPO, ["--config", recipe(use_peft=True, lora_r=2, lora_target_modules="all-linear", max_steps=1)])
    with pytest.raises(SystemExit) as stop:
        main(DPO, ["--config", recipe(model_name_or_path=str(tmp_path / "out"))])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "out is a LoRA adapter, and training starts from a whole model" in error
    assert f"`merge_adapter: true` and give {tmp_path / 'out' / 'merged'}" in error
