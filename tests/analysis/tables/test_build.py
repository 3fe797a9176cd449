"""The tables, from runs recorded for real: what is averaged, where it stands, what is said below."""

import math
import shutil
from dataclasses import replace

import pytest

from analysis.kept import Distances, keep
from analysis.spread import Spread
from analysis.tables.answer import Asked
from analysis.tables.kinds import KINDS, model_of_table_3
from analysis.tables.members import Member
from trainer.balance.registry import STRATEGIES
from trainer.config import to_tree
from trainer.settings import load_preset
from vaemon import Recorder
from vaemon.batch import RunInfo, RunState
from vaemon.errors import UnknownName, UsageError, VaemonError
from vaemon.source.far.links import Links


def of_runs(table):
    return {line.keys: line.values for line in table.lines if line.runs}


def of_paper(table):
    return [line for line in table.lines if not line.runs]


def test_table_1_is_the_mean_over_runs_at_each_epoch_beside_the_printed_one(record, table):
    record("a", {1: {"mse": 0.04, "variance_law": 1.2}, 4: {"mse": 0.02, "REC": 60.0}})
    record("b", {1: {"mse": 0.06, "variance_law": 1.0}, 4: {"mse": 0.01}}, {"seed": 1})
    found = table(1)
    assert of_runs(found).keys() == {(1,), (4,)}
    assert of_runs(found)[1,]["mse"] == Spread(pytest.approx(0.05), pytest.approx(math.sqrt(2) * 0.01), 2)
    assert of_runs(found)[4,]["REC"] == Spread(60.0, None, 1)
    assert [line.keys for line in of_paper(found)] == [(50 * i,) for i in range(1, 15)]
    assert found.lacking == ("REC", "GEN-1", "GEN-2")
    assert not any("differ" in note for note in found.notes)


def test_gen_2_of_the_last_epoch_is_the_second_stage_s(record, table):
    record("a", {2: {"mse": 0.04}, 4: {"REC": 60.0, "GEN-1": 90.0}}, second={"mse": 0.3, "GEN-2": 70.0})
    values = of_runs(table(1))
    assert values[4,]["GEN-2"].mean == 70.0
    assert "mse" not in values[4,], "the second stage's mse is of latents"
    assert "GEN-2" not in values[2,]
    assert table(1).lacking == ()


def test_the_epoch_that_an_evaluation_tells_goes_before_steps(record, table):
    record("a", {1: {"mse": 0.04, "epoch": 50}}, per_epoch=None)
    assert of_runs(table(1)).keys() == {(50,)}


def test_runs_without_evaluations_or_epochs_are_an_error_that_says_what_to_do(record, table):
    record("a", {})
    record("b", {1: {"mse": 0.1}}, per_epoch=None)
    with pytest.raises(VaemonError, match=r"nothing for table 1 in .*steps_per_epoch"):
        table(1)


def test_only_takes_the_runs_that_ended_so(record, table):
    for i, inactive in enumerate((3, 3, 5)):
        record(f"run{i}", {4: {"mse": 0.1 * (i + 1)}}, {"seed": i}, inactive=inactive)
    assert set(table(1, only="active=5").runs) == {"run0", "run1"}
    assert set(table(1, only="inactive>=5 and finished").runs) == {"run2"}
    assert set(table(1, only="mse<0.15").runs) == {"run0"}
    with pytest.raises(UsageError, match=r"--only 'active=17' fits none of: run2 \(active 3\), run1 \(active 5\)"):
        table(1, only="active=17")
    with pytest.raises(UnknownName, match="did you mean 'active'"):
        table(1, only="activ0=17")


def test_a_run_named_twice_counts_once(record, table):
    record("a", {4: {"mse": 0.1}})
    assert table(1, "a", "*", "a").runs == ("a",)


def test_lines_over_unlike_runs_are_told(record, table):
    record("a", {4: {"mse": 0.1}})
    record("b", {4: {"mse": 0.2}}, {"stage1.lr": 2e-4, "data.path": "/elsewhere"})
    (said,) = [note for note in table(1).notes if "differ" in note]
    assert said.endswith("stage1.lr.")
    assert not any("differ" in note for note in table(5).notes), "table 5 tells rates apart"


def test_latents_and_weights_that_no_label_tells_of_are_told(record, table):
    record("a", {4: {"mse": 0.1}})
    record("b", {4: {"mse": 0.2}}, {"network.latents": 16, "balance.momentum": 0.9})
    (said,) = [note for note in table(2).notes if "differ" in note]
    assert "network.latents" in said
    assert "balance.momentum" in said


def test_images_that_the_seed_renders_do_not_make_runs_unlike(record, table):
    for seed in range(2):
        record(f"s{seed}", {4: {"mse": 0.1}}, {"data.name": "shapes", "seed": seed, "images.crc32": seed})
        record(f"c{seed}", {4: {"mse": 0.1}}, {"seed": seed, "images.crc32": seed})
    assert not any("differ" in note for note in table(1, "s*").notes)
    assert any("images.crc32" in note for note in table(1, "c*").notes)


def test_runs_of_another_data_set_stand_alone_or_are_left_out(record, table):
    record("a", {4: {"mse": 0.1}}, {"data.name": "mnist"})
    alone = table(1)
    assert of_paper(alone) == []
    assert any("of cifar10, these runs of mnist" in note for note in alone.notes)
    record("b", {4: {"mse": 0.2}})
    both = table(1)
    assert both.runs == ("b",)
    assert "Left out, for the table is of cifar10: a (mnist)." in both.notes
    record("c", {4: {"mse": 0.2}}, {"data.name": "shapes"})
    with pytest.raises(UsageError, match="mnist, shapes"):
        table(1, "a", "c")


def test_a_run_that_does_not_say_its_data_belongs_to_the_others(record, table):
    record("own", {4: {"mse": 0.1}}, None)
    assert len(of_paper(table(1))) == 14


def test_table_2_puts_each_model_beside_the_printed_one(record, table):
    record("a", {4: {"REC": 50.0}}, second={"GEN-2": 70.0, "GEN-2 renormalised": 65.0})
    record("b", {4: {"REC": 52.0}}, {"balance.name": "learned"})
    record("c", {4: {"REC": 30.0, "GEN-GMM": 75.0}}, {"balance.name": "rae-l2", "stage2.enabled": False})
    record("d", {4: {"REC": 99.0}}, {"balance.name": "geco", "stage2.enabled": False})
    lines = table(2).lines
    models = [(line.keys[0], bool(line.runs)) for line in lines]
    assert models == [
        ("RAE-l2, 8 latents", True),
        ("RAE-l2 [12], 128 latents", False),
        ("2S-VAE, learned γ [9]", False),
        ("2S-VAE, learned γ", True),
        ("2S-VAE, learned γ, replicated", False),
        ("2S-VAE, computed γ", True),
        ("2S-VAE, computed γ", False),
        ("2S-VAE, computed γ, latents normalised", True),
        ("VAE, geco", True),
    ]
    assert lines[0].values["GEN-2"].mean == 75.0
    assert (lines[5].values["GEN-2"].mean, lines[7].values["GEN-2"].mean) == (70.0, 65.0)
    assert lines[7].values["REC"].mean == 50.0


def test_table_4_has_the_normalised_latents_beside_the_printed_ones(record, table):
    second = {"GEN-2": 43.0, "GEN-2 renormalised": 39.0}
    record("a", {4: {"REC": 34.0}}, {"data.name": "celeba"}, second=second)
    lines = table(4).lines
    assert [line.values["GEN-2"].mean for line in lines[-4:]] == [43.0, 42.7, 39.0, 38.6]


MODELS = {
    1: {"network.num_scale": 4, "network.latents": 64, "network.block_per_scale": 1},
    2: {"network.num_scale": 4, "network.latents": 64, "network.block_per_scale": 1, "network.l2_up": 1e-3},
    3: {"network.num_scale": 4, "network.latents": 64, "network.block_per_scale": 2, "network.l2_down": 1e-3},
    4: {"network.num_scale": 3, "network.latents": 128, "network.block_per_scale": 1},
}


def test_table_3_knows_the_four_models_by_their_networks(record, table):
    for model, settings in MODELS.items():
        record(f"m{model}", {4: {"mse": 0.001 * model}}, {"data.name": "celeba", **settings})
    record("m0", {4: {"mse": 0.0}}, {"data.name": "celeba"})
    found = of_runs(table(3))
    assert {keys: each["mse"].mean for keys, each in found.items()} == {
        **{(model, "4/8", "computed"): 0.001 * model for model in MODELS},
        ("other", "4/8", "computed"): 0.0,
    }
    assert len(of_paper(table(3))) == 24


@pytest.mark.parametrize("model", MODELS)
def test_the_presets_are_the_models_of_table_3(model):
    for name in (f"celeba-{model}", f"celeba-{model}-learned-gamma"):
        assert model_of_table_3(to_tree(load_preset(name))["network"]) == model
    assert model_of_table_3(to_tree(load_preset("celeba"))["network"]) is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_weighs_its_terms_by_gamma_is_called_so(strategy):
    member = Member(
        "a", RunInfo("a", "a", RunState.FINISHED, config={"balance": {"name": strategy}}), {4: {"mse": 0.1}}
    )
    ((model, _),) = [entry.keys for entry in KINDS[2].of_run(member)]
    assert model.endswith(" γ") == STRATEGIES[strategy].__module__.endswith(".gamma")


def test_table_3_tells_of_a_second_stage_only_where_one_was_trained(record, table):
    celeba = {"data.name": "celeba", "stage2.epochs": 300, **MODELS[1]}
    alone = {**celeba, "stage2.enabled": False}
    record("finished", {4: {"mse": 0.1}}, celeba)
    record("stopped", {4: {"mse": 0.1}}, celeba, planned=50)
    record("alone", {4: {"mse": 0.1}}, alone)
    record("rae", {4: {"mse": 0.1, "GEN-GMM": 75.0}}, {**alone, "balance.name": "rae-l2"})
    record("sampled", {4: {"mse": 0.1}}, celeba, planned=50, second={"GEN-2": 70.0})
    labels = {name: line.keys[1] for line in table(3).lines for name in line.runs}
    assert labels == {"finished": "4/300", "stopped": "4", "alone": "4", "rae": "4", "sampled": "4/300"}


def test_what_no_command_can_compute_is_not_said_to_be_lacking(record, table, runs):
    alone = {"stage2.enabled": False}
    record("alone", {4: {"mse": 0.1}}, alone)
    assert table(1).lacking == ("REC", "GEN-1")
    record("rae", {4: {"mse": 0.1}}, {**alone, "balance.name": "rae-l2"})
    assert table(2, "rae").lacking == ("REC", "GEN-2")
    record("recorded", {4: {"mse": 0.1}}, {"seed": 1})
    (runs / "recorded" / "checkpoints").rmdir()
    assert table(1, "recorded").lacking == ()
    assert table(1, "recorded", "alone").lacking == ("REC", "GEN-1")


def test_of_a_run_on_another_machine_nothing_can_be_computed_here(runs):
    (runs / "far" / "checkpoints").mkdir(parents=True)
    info = RunInfo("far", str(runs / "far"), RunState.FINISHED, config={"stage2": {"enabled": True}})
    here, far = Member("far", info), Member("far", replace(info, place="gpu1"))
    assert here.obtainable == ("REC", "GEN-1", "GEN-2")
    assert far.obtainable == ()


def test_runs_of_one_name_are_told_apart(record, table, runs, tmp_path):
    record("run", {4: {"mse": 0.1}})
    record("other", {4: {"mse": 0.3}})
    (tmp_path / "elsewhere").mkdir()
    shutil.copytree(runs / "run", tmp_path / "elsewhere" / "run")
    found = table(1, "run", "other", str(tmp_path / "elsewhere" / "run"), str(runs / "run"))
    assert found.runs == (f"{runs.name}/run", "other", "elsewhere/run")


def test_the_command_keeps_addresses_as_they_are_and_leaves_out_other_machines():
    assert Asked(("a  b", "gpu1:c"), None, Links()).command("--fid") == "vaemon analyze 'a  b' --fid"
    assert Asked((), None, Links()).command("--fid") == "vaemon analyze --fid"


def test_table_3_has_the_paper_s_epochs_on_the_way(record, table):
    told = {1: {"mse": 0.3, "epoch": 7}, 2: {"mse": 0.2, "epoch": 40}, 4: {"mse": 0.1, "epoch": 120}}
    settings = {"data.name": "celeba", "balance.name": "learned", "stage2.epochs": 300, **MODELS[1]}
    record("a", told, settings, planned=120)
    assert of_runs(table(3)).keys() == {(1, "40", "learned"), (1, "120/300", "learned")}


def test_table_5_has_a_line_a_rate_with_the_inactive_latents_counted(record, table):
    for i, (rate, inactive) in enumerate(((1e-4, 3), (1e-4, 5), (2e-4, 2))):
        record(f"r{i}", {4: {"mse": 0.1, "inactive": 0}}, {"stage1.lr": rate}, inactive=inactive)
    found = table(5)
    values = of_runs(found)
    assert values[1e-4,]["inactive"] == Spread(4.0, pytest.approx(math.sqrt(2)), 2)
    assert values[2e-4,]["inactive"] == Spread(2.0, None, 1)
    assert [line.keys[0] for line in found.lines if not line.runs] == [2e-4, 1.5e-4, 1e-4, 5e-5]
    assert any("recorded stream" in note for note in found.notes)


def test_a_run_that_is_not_at_its_end_is_told(record, table):
    record("a", {2: {"mse": 0.1}}, planned=70)
    assert any("a 2 of 70 epochs (" in note for note in table(1).notes)


def test_a_model_without_posteriors_is_still_told(runs, table):
    with Recorder("own", runs=runs, steps_per_epoch=10) as recorder:
        recorder.log(10, mse=0.5)
        recorder.evaluation(10, mse=0.5, REC=40.0)
    assert of_runs(table(1))[1,]["REC"].mean == 40.0


def test_distances_found_afterwards_stand_at_their_epoch_if_they_are_of_the_paper_s_recipe(record, table, runs):
    record("a", {2: {"mse": 0.2}, 4: {"mse": 0.1, "REC": 50.0}})
    keep(runs / "a", Distances("asperti", 40, {"REC": 60.0, "GEN-1": 90.0, "GEN-2": 70.0, "GEN-2 renormalised": 66.0}))
    keep(runs / "a", Distances("asperti", 20, {"REC": 80.0}, {"images": 10_000}))
    keep(runs / "a", Distances("asperti", 20, {"REC": 180.0}, {"images": 100}))
    keep(runs / "a", Distances("tf", 20, {"GEN-1": 1.0}))
    values = of_runs(table(1))
    assert (values[2,]["REC"].mean, values[4,]["GEN-2"].mean) == (80.0, 70.0)
    assert values[4,]["REC"].mean == 50.0, "the run's own evaluation goes before"
    assert "GEN-1" not in values[2,]
    assert table(1).lacking == ()
    assert [line.values["GEN-2"].mean for line in table(2).lines if line.runs] == [70.0, 66.0]
