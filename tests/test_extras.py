import json
import sys

import pytest

from hfdiv._extras import require


def test_an_installed_module_is_imported():
    assert require("json", "data") is json
    assert require("json.decoder", "data") is sys.modules["json.decoder"]


@pytest.mark.parametrize("module", ["hfdiv_no_such_module", "hfdiv_no_such_module.inside"])
def test_a_missing_module_names_its_extra(module):
    with pytest.raises(ImportError, match=rf'`{module}` is needed here .*pip install "hfdiv\[report\]"'):
        require(module, "report")


def test_a_module_that_is_there_but_broken_says_what_it_lacks(tmp_path, monkeypatch):
    (tmp_path / "hfdiv_broken.py").write_text("import hfdiv_no_such_module")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'hfdiv_no_such_module'") as caught:
        require("hfdiv_broken", "report")
    assert "pip install" not in str(caught.value)


def test_a_missing_part_of_an_installed_package_is_not_blamed_on_the_extra():
    with pytest.raises(ModuleNotFoundError, match="json.no_such_part"):
        require("json.no_such_part", "data")
