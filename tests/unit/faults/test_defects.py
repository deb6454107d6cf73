"""defects: each can still be put into the engine as it is."""

import defects
import pytest


@pytest.mark.parametrize("defect", defects.DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_finds_its_text_in_the_engine(defect, tmp_path):
    assert (defect.plant(tmp_path / "engine") / "mirai_backup" / defect.file).exists()
