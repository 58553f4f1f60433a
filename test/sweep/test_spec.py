import pytest

from diffaudio.log import Refusal
from diffaudio.process import Autoguidance, CFGPlusPlus, ClassifierFree
from diffaudio.solve import DDIM, PredictorCorrector, UniformGrid
from diffaudio.sweep import Cell, SweepSpec, Way
from diffaudio.sweep.spec import overlay

WAYS = {"ddim": Way(DDIM(), UniformGrid()), "pc": Way(PredictorCorrector(), UniformGrid())}


def test_every_model_with_every_sampler_that_can_spend_the_calls():
    spec = SweepSpec(
        models=["exp/a", "exp/b", "exp/a"],  # twice is once
        samplers=WAYS,
        calls=[2, 5],
        metric="SI-SDR",
        guidance={"plain": None, "2": ClassifierFree(2.0)},
    )
    cells = spec.cells()
    assert [cell.tag for cell in cells if cell.model == "exp/b"] == [
        "sweep_ddim_2_plain",
        "sweep_ddim_5_plain",
        "sweep_ddim_2_2",
        "sweep_ddim_5_2",
        "sweep_pc_2_plain",  # every step takes two calls
        "sweep_pc_2_2",
    ]
    assert len(cells) == 12


def test_calls_that_no_sampler_makes_are_refused():
    with pytest.raises(Refusal, match=r"sweep.calls: \[3\]: none of pc makes exactly so many"):
        SweepSpec(["exp/a"], {"pc": WAYS["pc"]}, [3], metric="SI-SDR").cells()


def test_a_sampler_that_is_null_is_left_out():
    spec = SweepSpec(["exp/a"], {**WAYS, "pc": None}, [2], metric="SI-SDR")
    assert [cell.tag for cell in spec.cells()] == ["sweep_ddim_2_plain"]
    with pytest.raises(Refusal, match="at least one entry"):
        SweepSpec(["exp/a"], {"pc": None}, [2], metric="SI-SDR")


def test_a_guidance_that_no_solver_takes_is_refused_before_the_first_cell():
    spec = SweepSpec(["m"], WAYS, [2], "x", guidance={"plain": None, "ahead": CFGPlusPlus(1.0)})
    with pytest.raises(Refusal, match="CFGPlusPlus with PredictorCorrector"):
        spec.cells()


def test_only_a_cell_that_a_weaker_model_guides_names_one():
    guidance = {"plain": None, "away": Autoguidance(2.0)}
    spec = SweepSpec(["m"], WAYS, [2], "x", guidance=guidance, decode={"weaker": "step_1"})
    section = {"samplers": {"ddim": {}}, "guidance": None, "decode": {"weaker": "step_1"}}
    plain, away = (cell for cell in spec.cells() if cell.sampler == "ddim")
    named = [overlay(section, c, weaker=spec.weaker(c))["decode"]["weaker"] for c in (plain, away)]
    assert named == [None, "step_1"]


def test_a_cell_s_overlay_is_its_sampler():
    section = {
        "samplers": {"ddim": {"solver": {"class_path": "DDIM"}, "grid": {"class_path": "G"}}},
        "guidance": {"2": {"class_path": "ClassifierFree", "init_args": {"scale": 2.0}}},
        "decode": None,
    }
    found = overlay(section, Cell("exp/a", "ddim", 5, "2"))["decode"]["sampler"]
    assert found["solver"] == {"class_path": "DDIM"}
    assert (found["calls"], found["guidance"]["init_args"]) == (5, {"scale": 2.0})
    assert (
        overlay({**section, "guidance": None}, Cell("a", "ddim", 5, "plain"))["decode"]["sampler"][
            "guidance"
        ]
        is None
    )


@pytest.mark.parametrize(("asked", "found"), [(None, {}), (0.0, {"temperature": 0.0})])
def test_a_temperature_is_the_model_s_own_unless_a_sampler_has_one(asked, found):
    way = {"solver": {"class_path": "DDIM"}, "grid": {"class_path": "G"}, "temperature": asked}
    section = {"samplers": {"a": way}, "guidance": None, "decode": None}
    laid = overlay(section, Cell("m", "a", 5, "plain"))["decode"]["sampler"]
    assert {key: one for key, one in laid.items() if key == "temperature"} == found


def test_what_all_cells_share_is_laid_over_each():
    section = {
        "samplers": {"ddim": {"solver": {"class_path": "DDIM"}, "grid": {"class_path": "G"}}},
        "guidance": None,
        "decode": {"repeat": 4},
    }
    spec = SweepSpec(["exp/a"], WAYS, [5], "x", decode={"repeat": 4}, name="best")
    cell = spec.cells()[0]
    assert cell.tag == "best_ddim_5_plain"
    assert overlay(section, cell)["decode"]["repeat"] == 4
    with pytest.raises(Refusal, match="sampler is what is compared"):
        SweepSpec(["m"], WAYS, [1], "x", decode={"sampler": {}})


def test_names_are_folders_and_nothing_is_empty():
    with pytest.raises(Refusal, match="'a/b' names a folder"):
        SweepSpec(models=["m"], samplers={"a/b": WAYS["ddim"]}, calls=[1], metric="x")
    with pytest.raises(Refusal, match="at least one entry"):
        SweepSpec(models=[], samplers=WAYS, calls=[1], metric="x")
