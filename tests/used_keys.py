#!/usr/bin/env python3
"""Everything that the flagship's protocol says is used, none of it merely read.

Each key of examples/msc-inr/protocol.toml is changed, one at a time, and something must change with it: what `check` says, a virtual trial
(its data file), or the report on that trial's data, in English or Chinese. What only people at the bedside meet is looked for in the
sources of the rooms that conduct a trial, by the name of the field. What is not available yet must be what `check` lists so. A key of the
file that has no row here fails the test, and so does a row whose change changes nothing.

    used_keys.py --binary build/release/equipoise [--key KEY]
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

root = pathlib.Path(__file__).resolve().parent.parent
flagship = root / "examples/msc-inr/protocol.toml"

# key: (text of the file, text in its place). "trial": seen in the data or the report of a virtual trial of the scenario named.
changes = {
    "trial.id": ('id = "msc-inr"', 'id = "msc-inr-2"'),
    "trial.title.en": ("Mesenchymal stem cells in HIV immune non-responders: randomised", "A trial: randomised"),
    "trial.title.zh": ("间充质干细胞治疗HIV", "治疗HIV"),
    "trial.registry": ("modelled on NCT01213186", "none"),
    "trial.phase": ('phase = "II"', 'phase = "III"'),
    "trial.version": ('version = "1.0"', 'version = "2.0"'),
    "trial.planned_participants": ("planned_participants = 72", "planned_participants = 60"),
    "trial.languages[]": ('languages = ["en", "zh"]', 'languages = ["zh", "en"]'),
    "conventions.alpha": ("alpha = 0.05", "alpha = 0.01"),
        "conventions.confidence": ("confidence = 0.95", "confidence = 0.9"),
    "conventions.match": ('match = "equipoise"', 'match = "sas"'),
    "conventions.month_days": ("month_days = 30.4375", "month_days = 28"),
    "arm[].id": ('id = "placebo"', 'id = "placebo0"'),
    "arm[].role": ('role = "placebo_control"', 'role = "no_treatment"'),
    "arm[].label.en": ('en = "Placebo"', 'en = "Saline"'),
    "arm[].label.zh": ('zh = "安慰剂"', 'zh = "盐水"'),
    "arm[].dose.amount": ("amount = 0.5e6", "amount = 0.6e6"),
    "arm[].dose.unit": ('"cells/kg"', '"cells/g"'),
    "intervention[].label.en": ("Intravenous infusion", "Infusion by vein"),
    "intervention[].label.zh": ("静脉输注", "输注液"),
    "intervention[].visits[]": ('visits = ["baseline", "w4", "w8"]', 'visits = ["baseline", "w4"]'),
    "sites.site[].id": ('id = "s1"', 'id = "s7"'),
    "sites.site[].cap": ("cap = 30", "cap = 10"),
    "sites.site[].planned_per_month": ("planned_per_month = 0.60", "planned_per_month = 0.10"),
    "epoch[].id": ('id = "screening"\n[[epoch]]', 'id = "screened"\n[[epoch]]'),
    "schedule.visit[].id": ('id = "w96"', 'id = "w97"'),
    "schedule.visit[].epoch": ('"w8", epoch = "treatment"', '"w8", epoch = "follow_up"'),
    "schedule.visit[].day": ("day = 673", "day = 680"),
    "schedule.visit[].window[]": ("window = [16, 12]", "window = [15, 12]"),
    "schedule.visit[].forms[]": ('forms = ["vitals", "dosing"]', 'forms = ["vitals", "dosing", "virology"]'),
    "schedule.any_time[]": ('any_time = ["adverse_event", "event_log"]', 'any_time = ["event_log", "adverse_event", "history"]'),
    "form.*.*.kind": ('age = { kind = "integer"', 'age = { kind = "number"'),
    "form.*.*.label.en": ('en = "CD4+ T cells"', 'en = "CD4"'),
    "form.*.*.label.zh": ('zh = "CD4+ T细胞"', 'zh = "CD4"'),
    "form.*.*.unit": ('unit = "/mm3", also', 'unit = "/uL", also'),
    "form.*.*.hard[]": ("hard = [0, 3000], soft = [20, 1200]", "hard = [0, 300], soft = [20, 280]"),
    "form.*.*.codes[][]": ('["study_stop", "Left the study"', '["study_stop", "Gone"'),
    "form.*.*.step": ("step = 10", "step = 5"),
    "eligibility.criterion[].id": ('id = "i3"', 'id = "i3a"'),
    "eligibility.criterion[].kind": ('kind = "exclusion", rule = "cdc_c@screening"', 'kind = "inclusion", rule = "not cdc_c@screening"'),
    "eligibility.criterion[].rule": ("cd4@screening > 50 and", "cd4@screening > 150 and"),
    "eligibility.criterion[].text.en": ("CD4 above 50", "CD4 over 50"),
    "eligibility.criterion[].text.zh": ('zh = "HIV感染"', 'zh = "HIV"'),
    "randomisation.method": ('method = "minimisation"\n', 'method = "taves"\n'),
    "randomisation.ratio.placebo": ("placebo = 1, low = 1", "placebo = 2, low = 1"),
    "randomisation.ratio.low": ("low = 1, high = 1", "low = 2, high = 1"),
    "randomisation.ratio.high": ("high = 1 }", "high = 2 }"),
    "randomisation.factors[].id": ('id = "cd4_low", rule', 'id = "cd4_lower", rule'),
    "randomisation.factors[].rule": ("cd4@screening <= 150", "cd4@screening <= 100"),
    "randomisation.imbalance": ('imbalance = "range"', 'imbalance = "variance"'),
    "randomisation.weights.site": ("weights = { site = 1", "weights = { site = 5"),
    "randomisation.weights.cd4_low": ("cd4_low = 1 }", "cd4_low = 5 }"),
    "randomisation.probability": ("probability = 0.8", "probability = 0.6"),
    "blinding.kind": ('kind = "double"', 'kind = "single"'),
    "derivation.*.rule": ('"cd4 >= 1.3 * cd4@baseline"', '"cd4 >= 1.4 * cd4@baseline"'),
    "derivation.*.unit": ('rule = "cd4 - cd4@baseline", unit = "/mm3"', 'rule = "cd4 - cd4@baseline", unit = "/uL"'),
    "derivation.*.label.en": ('en = "Change in CD4"', 'en = "CD4 gained"'),
    "derivation.*.label.zh": ('zh = "CD4变化"', 'zh = "CD4增量"'),
    "analysis_set.*.rule": ("given != 'none'", "given == 'none'"),
    "analysis_set.*.arm": ('arm = "as_treated"', 'arm = "as_randomised"'),
    "analysis_set.*.label.en": ("Full analysis set", "Everybody"),
    "analysis_set.*.label.zh": ("全分析集", "全部"),
    "endpoint[].id": ('id = "any_sae"', 'id = "any_serious"'),
    "endpoint[].level": ('id = "response_confirmed"\nlevel = "exploratory"', 'id = "response_confirmed"\nlevel = "secondary"'),
    "endpoint[].kind": ('kind = "binary"', 'kind = "count"'),
    "endpoint[].variable": ('variable = "cd4_change"', 'variable = "cd4"'),
    "endpoint[].visits[]": ('"w84", "w96"]\nat = "w48"\nbenefit = "higher"', '"w84"]\nat = "w48"\nbenefit = "higher"'),
    "endpoint[].at": ('at = "w48"\nbenefit', 'at = "w60"\nbenefit'),
    "endpoint[].benefit": ('benefit = "sooner"', 'benefit = "later"'),
    "endpoint[].event": ("confirmed(response_30, 2)", "confirmed(response_30, 3)"),
    "endpoint[].observed": ('observed = "at_visits"      #', 'observed = "continuously"   #'),
    "endpoint[].transform": ('transform = "log" ', 'transform = "sqrt"'),
    "estimand[].id": ('id = "e2"', 'id = "e3"'),
    "estimand[].objective": ("Mean gain in CD4 at week 48", "Gain in CD4 at week 48"),
    "estimand[].population": ("HIV immune non-responders who meet the criteria", "People with HIV"),
    "estimand[].set": ('set = "full"\ntreatment', 'set = "safety"\ntreatment'),
    "estimand[].treatment.compare[]": ('compare = ["low", "high"], against = "placebo" }\nendpoint = "response"', 'compare = ["high"], against = "placebo" }\nendpoint = "response"'),
    "estimand[].treatment.against": ('compare = ["low", "high"], against = "placebo" }\nendpoint = "response"', 'compare = ["high"], against = "low" }\nendpoint = "response"'),
    "estimand[].endpoint": ('against = "placebo" }\nendpoint = "response"', 'against = "placebo" }\nendpoint = "response_fifty"'),
    "estimand[].summary": ('endpoint = "cd4_w48"\nsummary = "difference_in_means"', 'endpoint = "cd4_w48"\nsummary = "ratio_of_geometric_means"'),
    "estimand[].intercurrent[].event": ('{ event = "art_change",     strategy = "treatment_policy" },\n  { event = "rescue",         strategy = "hypothetical"', '{ event = "study_stop",     strategy = "treatment_policy" },\n  { event = "rescue",         strategy = "hypothetical"'),
    "estimand[].intercurrent[].strategy": ('{ event = "treatment_stop", strategy = "treatment_policy" },                # data kept', '{ event = "treatment_stop", strategy = "hypothetical", handling = "missing_at_random" },'),
    "estimand[].intercurrent[].value": ('strategy = "composite", value = 0 }', 'strategy = "composite", value = -500 }'),
    "analysis[].id": ('id = "a12_serious"', 'id = "a12_sae"'),
    "analysis[].estimand": ('id = "a05_response_test"\nestimand = "e2"', 'id = "a05_response_test"\nendpoint = "response_fifty"\nset = "full"'),
    "analysis[].role": ('endpoint = "response_fifty"\nset = "full"\nrole = "sensitivity"', 'endpoint = "response_fifty"\nset = "full"\nrole = "supportive"'),
    "analysis[].method": ('role = "secondary"\nmethod = "log_rank"', 'role = "secondary"\nmethod = "max_combo"'),
    "analysis[].formula": ('"arm * visit + cd4@baseline + site"', '"arm * visit + cd4@baseline + site + cd4@baseline * visit"'),
    "analysis[].covariance[]": ('covariance = ["unstructured", "heterogeneous_toeplitz"', 'covariance = ["compound_symmetry", "heterogeneous_toeplitz"'),
    "analysis[].estimation": ('estimation = "reml"\ndf = "kenward_roger"\n\n[[analysis]]\nid = "a11_ratio"', 'estimation = "ml"\ndf = "satterthwaite"\n\n[[analysis]]\nid = "a11_ratio"'),
    "analysis[].df": ('df = "kenward_roger"', 'df = "residual"'),
    "analysis[].strategy": ('strategy = "jump_to_reference"', 'strategy = "copy_reference"'),
    "analysis[].reference": ('reference = "placebo"', 'reference = "low"'),
    "analysis[].after": ('after = "study_stop"', 'after = "treatment_stop"'),
    "analysis[].endpoint": ('endpoint = "response_fifty"\nset', 'endpoint = "response_confirmed"\nset'),
    "analysis[].set": ('endpoint = "response_fifty"\nset = "full"', 'endpoint = "response_fifty"\nset = "safety"'),
    "analysis[].variance": ('variance = "one_sample"     # of the change, that is a paired test\nby = "arm"', 'variance = "welch"'),
    "analysis[].by": ('method = "miettinen_nurminen"\nmeasure = "difference"', 'method = "wilson"\nby = "arm"'),
    "analysis[].interval": ('interval = "log-log"', 'interval = "log"'),
    "analysis[].ties": ('ties = "efron"', 'ties = "breslow"'),
    "analysis[].scores": ('scores = "sun"', 'scores = "proportional_odds"'),
    "analysis[].measure": ('measure = "difference"', 'measure = "risk_ratio"'),
    "multiplicity.method": ('method = "graphical"', 'method = "holm"'),
    "multiplicity.hypotheses[].id": ("h_low", "h_lower"),
    "multiplicity.hypotheses[].analysis": ('id = "h_high", analysis = "a01_cd4"', 'id = "h_ratio", analysis = "a11_ratio", arm = "low", weight = 0 }, { id = "h_high", analysis = "a01_cd4"'),
    "multiplicity.hypotheses[].arm": ('analysis = "a01_cd4", arm = "low", weight = 0.5 }, { id = "h_high", analysis = "a01_cd4", arm = "high"', 'analysis = "a01_cd4", arm = "high", weight = 0.5 }, { id = "h_high", analysis = "a01_cd4", arm = "low"'),
    "multiplicity.hypotheses[].weight": ('arm = "low", weight = 0.5', 'arm = "low", weight = 0.25'),
    "multiplicity.edges[].from": ('edges = [{ from = "h_low", to = "h_high", weight = 1 }, { from = "h_high", to = "h_low", weight = 1 }]', 'edges = [{ from = "h_low", to = "h_high", weight = 1 }]'),
    "multiplicity.edges[].to": (', { from = "h_high", to = "h_low", weight = 1 }]', ']'),
    "multiplicity.edges[].weight": ('to = "h_low", weight = 1', 'to = "h_low", weight = 0.1'),
    "scenario[].id": ('id = "dose-response"', 'id = "dose-answer"'),
    "scenario[].model": ('id = "drift-only"\nextends = "no-effect"', 'id = "drift-only"\nmodel = "time_to_event"\nevent = { death = { per_year = 0.1 } }'),
    "scenario[].extends": ('id = "dose-response"\nextends = "drift-only"', 'id = "dose-response"\nextends = "no-effect"'),
    "report.title.en": ("Report of msc-inr", "The report"),
    "report.title.zh": ("msc-inr 报告", "报告"),
    "report.sections[]": ('"synopsis", "flow"', '"flow", "synopsis"'),
    # Of the scenarios, as the dose-response has them through those that it extends.
    "scenario[].cd4.level.median": ("median = 190", "median = 180"),
    "scenario[].cd4.level.cv": ("cv = 0.35", "cv = 0.30"),
    "scenario[].cd4.slope_per_year.mean": ("mean = 15", "mean = 25"),
    "scenario[].cd4.slope_per_year.sd": ("sd = 25", "sd = 35"),
    "scenario[].cd4.noise_cv": ("noise_cv = 0.18", "noise_cv = 0.1"),
    "scenario[].cd4.scale": ('noise_cv = 0.18, scale = "log"', 'noise_sd = 30, scale = "linear"'),
    "scenario[].cd8.level.median": ("median = 756", "median = 656"),
    "scenario[].cd8.level.cv": ("cv = 0.50", "cv = 0.30"),
    "scenario[].cd8.slope_per_year.mean": ("cv = 0.50 }, slope_per_year = { mean = 0, sd = 0 }", "cv = 0.50 }, slope_per_year = { mean = 9, sd = 0 }"),
    "scenario[].cd8.slope_per_year.sd": ("cv = 0.50 }, slope_per_year = { mean = 0, sd = 0 }", "cv = 0.50 }, slope_per_year = { mean = 0, sd = 9 }"),
    "scenario[].cd8.noise_cv": ("noise_cv = 0.20", "noise_cv = 0.1"),
    "scenario[].cd8.scale": ('noise_cv = 0.20, scale = "log"', 'noise_sd = 90, scale = "linear"'),
    "scenario[].correlation.levels": ("levels = 0.2", "levels = 0.6"),
    "scenario[].correlation.noise": ("noise = 0.3", "noise = 0.6"),
    "scenario[].site_sd": ("site_sd = 10", "site_sd = 30"),
    "scenario[].visit_day_sd": ("visit_day_sd = 4", "visit_day_sd = 2"),
    "scenario[].missed_visit": ("missed_visit = 0.03", "missed_visit = 0.2"),
    "scenario[].study_stop.mechanism": ('mechanism = "mar"', 'mechanism = "mnar"'),
    "scenario[].study_stop.by_week_96": ("by_week_96 = 0.08", "by_week_96 = 0.5"),
    "scenario[].study_stop.log_odds_per_100_cells": ("log_odds_per_100_cells = -0.5", "log_odds_per_100_cells = -5"),
    "scenario[].events_per_year.treatment_stop": ("treatment_stop = 0.03", "treatment_stop = 0.9"),
    "scenario[].events_per_year.art_change": ("art_change = 0.05", "art_change = 0.9"),
    "scenario[].events_per_year.rescue": ("rescue = 0.01", "rescue = 0.9"),
    "scenario[].events_per_year.death": ("death = 0.003", "death = 0.9"),
    "scenario[].adverse_event.any": ("any = 0.85", "any = 0.5"),
    "scenario[].adverse_event.serious": ("serious = 0.06", "serious = 0.4"),
    "scenario[].items.given": ('given = "full"', 'given = "none"'),
    "scenario[].items.hiv": ("hiv = true", "hiv = false"),
    "scenario[].items.art_start.mean": ("mean = -2500", "mean = -1500"),
    "scenario[].items.art_start.sd": ("sd = 900", "sd = 90"),
    "scenario[].items.art_start.max": ("max = -760", "max = -560"),
    "scenario[].items.cd4_highest.mean": ("cd4_highest = { mean = 200", "cd4_highest = { mean = 150"),
    "scenario[].items.cd4_highest.sd": ("sd = 30, max = 250", "sd = 60, max = 250"),
    "scenario[].items.cd4_highest.max": ("sd = 30, max = 250", "sd = 30, max = 220"),
    "scenario[].items.hiv_rna": ("hiv_rna = 20", "hiv_rna = 30"),
    "scenario[].items.karnofsky.mean": ("karnofsky = { mean = 90", "karnofsky = { mean = 80"),
    "scenario[].items.karnofsky.sd": ("sd = 5, max = 100", "sd = 15, max = 100"),
    "scenario[].items.karnofsky.max": ("sd = 5, max = 100", "sd = 5, max = 90"),
    "scenario[].items.cdc_c": ("cdc_c = false", "cdc_c = true"),
    "scenario[].items.age.mean": ("age = { mean = 42", "age = { mean = 52"),
    "scenario[].items.age.sd": ("mean = 42, sd = 9", "mean = 42, sd = 19"),
    "scenario[].items.sex.F": ("F = 0.2, M = 0.8", "F = 0.6, M = 0.4"),
    "scenario[].items.sex.M": ("F = 0.2, M = 0.8", "F = 0.1, M = 0.9"),
    "scenario[].items.weight.mean": ("weight = { mean = 64", "weight = { mean = 74"),
    "scenario[].items.weight.sd": ("mean = 64, sd = 10", "mean = 64, sd = 5"),
    "scenario[].effect.cd4.shape": ('shape = "emax", emax = 90, ed50 = 0.5e6', 'shape = "linear", slope = 1e-4'),
    "scenario[].effect.cd4.emax": ("emax = 90", "emax = 190"),
    "scenario[].effect.cd4.ed50": ("ed50 = 0.5e6", "ed50 = 2e6"),
    "scenario[].effect.cd4.half_life_weeks": ("half_life_weeks = 52", "half_life_weeks = 10"),
    "scenario[].effect.cd4.onset_weeks": ("onset_weeks = 24, half_life", "onset_weeks = 2, half_life"),
}
# The same of another scenario than the dose-response.
other_scenario = {
    "scenario[].effect.cd4.low": ("as-published", "low = 50, high = 50", "low = 150, high = 50"),
    "scenario[].effect.cd4.high": ("as-published", "low = 50, high = 50", "low = 50, high = 150"),
}
# What a virtual trial does not meet: rooms that conduct a trial or read data from outside, and how they speak of the key.
conducted = {
    "intervention[].id": ("conduct/decide_supply.cpp", r"Intervention::id"),
    "sites.site[].name": ("data/source.cpp", r"site\.name"),
    "schedule.nominal": ("data/windows.cpp", r"nominal"),
    "form.*.*.detection_limit": ("data/cell_reader.cpp", r"detection_limit"),
    "intervention[].amount": ("vault/dose.cpp", r"\.amount\b"),
    "intervention[].volume.amount": ("conduct/views.cpp", r"\.volume"),
    "intervention[].volume.unit": ("conduct/views.cpp", r"volume->unit"),
    "intervention[].weight_change_confirm": ("conduct/decide_supply.cpp", r"weight_change_confirm"),
    "sites.site[].time_zone": ("conduct/plan.cpp", r"time_zone"),
    "form.*.*.required": ("conduct/decide_data.cpp", r"required"),
    "form.*.*.soft[]": ("conduct/edit_checks.cpp", r"soft"),
    "form.*.*.max": ("conduct/decide_data.cpp", r"max_length"),
    "form.*.*.also[][]": ("conduct/records.cpp", r"\balso\b"),
    "edit_check[].id": ("conduct/edit_checks.cpp", r"check\.id"),
    "edit_check[].form": ("conduct/edit_checks.cpp", r"\.form\b"),
    "edit_check[].rule": ("conduct/edit_checks.cpp", r"\.rule\b"),
    "edit_check[].severity": ("conduct/edit_checks.cpp", r"severity"),
    "edit_check[].text.en": ("conduct/edit_checks.cpp", r'text\.in\("en"\)'),
    "edit_check[].text.zh": ("conduct/edit_checks.cpp", r"text\.in\("),
    "blinding.unmasked[]": ("conduct/plan.cpp", r"unmasked_roles"),
    "blinding.mask_from[].items[]": ("conduct/plan.cpp", r"\.items\b"),
    "blinding.mask_from[].after": ("conduct/plan.cpp", r"\.after\b"),
    "blinding.mask_from[].roles[]": ("conduct/plan.cpp", r"\.roles\b"),
    "blinding.mask_from[].entered_by": ("conduct/plan.cpp", r"entered_by"),
}
# One word is all that this build takes, and another is refused.
only_one = {
    "format": ("format = 1", "format = 2"),
    "conventions.sided": ("sided = 2", "sided = 1"),
    "endpoint[].origin": ('origin = "randomisation"', 'origin = "consent"'),
    "estimand[].intercurrent[].handling": ('handling = "missing_at_random"', 'handling = "censored"'),
}
# Seen in a rehearsal of a few trials.
rehearsed = {
    "claim[].id": ('id = "within_not_control"', 'id = "within_only"'),
    "claim[].label.en": ('en = "Rise within a dose arm (P < 0.05)', 'en = "A rise within a dose arm (P < 0.05)'),
    "claim[].label.zh": ('zh = "某剂量组内升高(P < 0.05)', 'zh = "剂量组内升高(P < 0.05)'),
    "claim[].all[].analysis": ('all = [{ analysis = "a09_response_fifty"', 'all = [{ analysis = "a08_response_confirmed"'),
    "claim[].all[].p_at_most": ("p_at_most = 0.004", "p_at_most = 0.9"),
    "claim[].all[].claim": ('{ claim = "curve_low" }', '{ claim = "curve_fifty" }'),
    "claim[].all[].some[]": ('analysis = "a05_response_test", some = ["low", "high"]', 'analysis = "a05_response_test", some = ["low"]'),
    "claim[].all[].every[]": ('every = ["low", "high"]', 'every = ["high"]'),
    "claim[].all[].arm": ('arm = "placebo", p_below = 0.05', 'arm = "low", p_below = 0.05'),
    "claim[].all[].p_below": ('some = ["low", "high"], p_below = 0.05', 'some = ["low", "high"], p_below = 0.0001'),
    "claim[].all[].direction": ('p_below = 0.05, direction = "up"', 'p_below = 0.05, direction = "down"'),
    "claim[].all[].not": ('arm = "placebo", p_below = 0.05, not = true', 'arm = "placebo", p_below = 0.05, not = false'),
    "rehearsal.first.a02_jump_to_reference": ("a02_jump_to_reference = 500", "a02_jump_to_reference = 2"),
}
not_available = ("design.", "scenario[].steady_state", "scenario[].between_person_cv", "scenario[].therapy")


def keys_of(node, path, found):
    if isinstance(node, dict):
        for key, value in node.items():
            parts = (path + "." + key if path else key).split(".")
            if parts[0] == "form":
                parts[1:3] = ["*"] * len(parts[1:3])
            if parts[0] in ("derivation", "analysis_set"):
                parts[1:2] = ["*"] * len(parts[1:2])
            keys_of(value, ".".join(parts), found)
    elif isinstance(node, list):
        for value in node:
            keys_of(value, path + "[]", found)
    else:
        found.setdefault(path, node)
    return found


class Looker:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.known = binary, folder, {}

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True)
        return done.returncode, re.sub(r"[0-9a-f]{64}", "DIGEST", done.stdout + done.stderr)

    def check(self, text):
        (self.folder / "p.toml").write_text(text)
        return [self.run("check", "p.toml", "--language", language) for language in ("en", "zh")]

    def trial(self, text, scenario):
        (self.folder / "p.toml").write_text(text)
        out = self.folder / "one"
        status, said = self.run("simulate", "p.toml", "--scenario", scenario, "--export", "0", "--output", "one")
        return status, said, (out / "trial.csv").read_text() if (out / "trial.csv").exists() else ""

    def report(self, text, scenario):
        seen = [self.trial(text, scenario)]
        for language in ("en", "zh"):
            seen.append(self.run("report", "one/protocol.toml", "--output", "r", "--language", language))
            for name in ("report.html", "results.json"):
                path = self.folder / "r" / name
                seen.append(re.sub(r"[0-9a-f]{64}", "DIGEST", path.read_text()) if path.exists() else "")
        return seen

    def rehearsal(self, text, scenario):
        """What a few virtual trials of the scenario say; how many is left to the protocol when it says so itself."""
        (self.folder / "p.toml").write_text(text)
        few = [] if "replicates = 1\n" in text or "replicates = 2\n" in text else ["--replicates", "10"]
        shutil.rmtree(self.folder / "d", ignore_errors=True)
        seen = [self.run("simulate", "p.toml", "--scenario", scenario, *few, "--output", "d")]
        for name in ("rehearsal.json", "rehearsal.html"):
            path = self.folder / "d" / name
            seen.append(re.sub(r"[0-9a-f]{64}", "DIGEST", path.read_text()) if path.exists() else "")
        return seen

    def base(self, what, *arguments):
        key = (what.__name__, *arguments[1:])
        if key not in self.known:
            self.known[key] = what(*arguments)
        return self.known[key]

    def changed(self, base, text, scenario):
        """What saw the change first, or nothing; what the change broke, if it did."""
        after = self.check(text)
        if after[0][0] != 0:
            return None, "refused: " + after[0][1].strip().splitlines()[0]
        if after != self.base(self.check, base):
            return "check", None
        if self.trial(text, scenario) != self.base(self.trial, base, scenario):
            return "a virtual trial", None
        if self.report(text, scenario) != self.base(self.report, base, scenario):
            return "the report", None
        return None, "nothing changed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--key", help="only this key, and say what saw it")
    arguments = parser.parse_args()
    text = flagship.read_text()
    wrong, seen = [], {}
    with tempfile.TemporaryDirectory() as name:
        looker = Looker(str(pathlib.Path(arguments.binary).resolve()), pathlib.Path(name))
        available = looker.base(looker.check, text)[0][1]
        for key in keys_of(tomllib.loads(text), "", {}):
            if arguments.key and key != arguments.key:
                continue
            if key.startswith(not_available):
                if "not available in this build" not in available:
                    wrong.append(f"{key}: check no longer lists it as not available")
                continue
            if key in conducted:
                source, pattern = conducted[key]
                path = root / "equipoise" / source
                if not path.exists() or not re.search(pattern, path.read_text()):
                    wrong.append(f"{key}: {source} does not use it")
                continue
            if key == "rehearsal.replicates":
                one, two = (re.sub(r"replicates = 10000", f"replicates = {n}", text, count=1) for n in (1, 2))
                if looker.rehearsal(one, "dose-response") == looker.rehearsal(two, "dose-response"):
                    wrong.append(f"{key}: nothing changed")
                continue
            if key in rehearsed:
                before, after = rehearsed[key]
                about = text.replace('["en", "zh"]', '["zh", "en"]') if key.endswith(".zh") else text  # the page is in the first language
                if before not in about:
                    wrong.append(f"{key}: no row says what reads it")
                elif looker.rehearsal(about.replace(before, after, 1), "dose-response") == looker.rehearsal(about, "dose-response"):
                    wrong.append(f"{key}: nothing changed")
                else:
                    seen["a rehearsal"] = seen.get("a rehearsal", 0) + 1
                continue
            row = changes.get(key)
            scenario = "dose-response"
            if key in other_scenario:
                scenario, *row = other_scenario[key]
            if key in only_one:
                before, after = only_one[key]
                if before not in text or looker.check(text.replace(before, after, 1))[0][0] == 0:
                    wrong.append(f"{key}: another word is not refused")
                continue
            if not row:
                wrong.append(f"{key}: no row says what reads it")
                continue
            before, after = row
            if before not in text:
                wrong.append(f"{key}: the flagship no longer says {before!r}")
                continue
            everywhere = key in ("multiplicity.hypotheses[].id",)
            who, why = looker.changed(text, text.replace(before, after) if everywhere else text.replace(before, after, 1), scenario)
            if arguments.key:
                print(who, why)
            if not who and not (why or "").startswith("refused"):
                wrong.append(f"{key}: {why}")
            seen[who or "a refusal"] = seen.get(who or "a refusal", 0) + 1
            if arguments.key or (why or "").startswith("refused"):
                print(f"{key}: {why}", file=sys.stderr)
    for line in wrong:
        print(line, file=sys.stderr)
    print(", ".join(f"{count} seen by {who}" for who, count in seen.items()), f"; {len(conducted)} keys in the rooms that conduct; {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
