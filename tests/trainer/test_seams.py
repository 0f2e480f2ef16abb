import inspect

import pytest
from trl import GRPOTrainer, RLOOTrainer

from hfdiv import DiverseGRPOConfig, DiverseGRPOTrainer
from hfdiv.trainer import DiverseRLOOConfig, DiverseRLOOTrainer
from hfdiv.trainer.arguments import DiversityArguments
from hfdiv.trainer.decoding import ENGINES, WRITERS
from hfdiv.trainer.rollout import SEAM_ATTRIBUTES, SEAMS
from tests.trainer.runs import build
from tests.trainer.tiny import settings


@pytest.mark.parametrize(
    ("parent", "trainer_class", "config_class"),
    [
        (GRPOTrainer, DiverseGRPOTrainer, DiverseGRPOConfig),
        (RLOOTrainer, DiverseRLOOTrainer, DiverseRLOOConfig),
    ],
)
def test_the_seams_are_where_we_think(parent, trainer_class, config_class):
    """TRL's private names that hfdiv stands on. If this fails, TRL changed: adapt `hfdiv/trainer/rollout.py`."""
    for name, parameters in SEAMS.items():
        found = tuple(inspect.signature(getattr(parent, name)).parameters)
        assert found == ("self", *parameters), name
    trainer = build(trainer_class, settings(config_class))
    assert [name for name in SEAM_ATTRIBUTES if not hasattr(trainer, name)] == []


def test_what_takes_the_place_of_generate_goes_by_these_names():
    assert set(ENGINES) <= set(DiverseGRPOConfig.__dataclass_fields__) & set(DiverseRLOOConfig.__dataclass_fields__)
    assert set(WRITERS) <= set(inspect.signature(GRPOTrainer.__init__).parameters)


def test_every_argument_of_ours_explains_itself():
    own = DiversityArguments.__dataclass_fields__
    assert {"diversity_weight", "quality_gate", "diversity_target", "history_weight"} <= set(own)
    assert [name for name, field in own.items() if not field.metadata.get("help")] == []
