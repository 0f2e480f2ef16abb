import math

import pytest
from trl import TrlParser

from hfdiv.trainer import DiverseGRPOConfig, DiverseRLOOConfig
from tests.trainer.tiny import settings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("diversity_weight", -0.3),
        ("diversity_weight", math.nan),
        ("diversity_weight", math.inf),
        ("diversity_form", "multiply"),
        ("diversity_adjustment", "facility"),
        ("diversity_similarity", "cosine"),
        ("diversity_ngram_size", 0),
        ("diversity_tokenizer", "words"),
        ("diversity_threshold", 0.0),
        ("diversity_threshold", 1.5),
        ("quality_gate", "sometimes"),
        ("quality_gate", math.inf),
        ("diversity_target_measure", "distinct"),
        ("history_weight", -1.0),
        ("history_threshold", 1.0),
        ("history_scope", "first_sentence"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must .*got .*{value}"):
        settings(**{field: value})


def test_a_gate_of_the_wrong_type():
    with pytest.raises(TypeError, match="`quality_gate` must be a number, 'running' or None, got True"):
        settings(quality_gate=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"diversity_form": "multiplicative", "diversity_weight": 1.5}, "at most 1 .*got 1.5"),
        ({"diversity_form": "adjustment", "multi_objective_aggregation": "normalize_then_sum"}, "scales the sum"),
        ({"diversity_form": "set_marginal", "diversity_similarity": "bleu"}, "positive semi-definite"),
        (
            {"diversity_form": "adjustment", "diversity_adjustment": "log_det", "diversity_similarity": "bleu"},
            "positive semi-definite",
        ),
        ({"diversity_target": 0.35}, "needs `diversity_form` to be one of .*got 'additive'"),
        ({"diversity_target": 1.2, "diversity_form": "advantage"}, "at most 1, got 1.2"),
        ({"diversity_target": math.nan, "diversity_form": "advantage"}, "got nan"),
        (
            {"diversity_target": 0.3, "diversity_form": "set_marginal", "diversity_weight": 0.0},
            "switches diversity off",
        ),
    ],
)
def test_settings_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        settings(**options)


@pytest.mark.parametrize(("given", "read"), [(None, None), (1, 1.0), ("0.25", 0.25), ("running", "running")])
def test_a_gate_as_python_yaml_or_the_command_line_give_it(given, read):
    assert settings(quality_gate=given).quality_gate == read


@pytest.mark.parametrize("config_class", [DiverseGRPOConfig, DiverseRLOOConfig])
def test_trls_parser_reads_the_arguments_from_yaml_and_the_command_line(config_class, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "diversity_form: advantage\ndiversity_target: 0.35\nquality_gate: 0.5\nuse_cpu: true\nbf16: false\n"
    )
    arguments = ["--config", str(recipe), "--output_dir", str(tmp_path), "--history_weight", "0.5"]
    (config,) = TrlParser((config_class,)).parse_args_and_config(arguments)
    assert (config.diversity_form, config.diversity_target, config.quality_gate) == ("advantage", 0.35, 0.5)
    assert (config.history_weight, config.history_threshold, config.diversity_encoder) == (0.5, 0.8, None)
    (config,) = TrlParser((config_class,)).parse_args_and_config([*arguments, "--quality_gate", "running"])
    assert config.quality_gate == "running"
