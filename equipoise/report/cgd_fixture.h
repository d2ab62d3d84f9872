#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "equipoise/protocol/protocol.h"
#include "equipoise/results/results.h"

/// A trial for tests of the report: interferon gamma in chronic granulomatous disease (N Engl J Med 1991;324:509-516), first
/// serious infection. Data: object `cgd` of the R package survival 3.5-3 (LGPL >= 2), first interval of each of 128 participants.
/// Numbers: R 4.2.2, survival 3.5-3: survfit(conf.type = "log-log"), survdiff, coxph (Efron); quantile(type = 2).
namespace equipoise::report::fixture {

inline constexpr double ne = std::numeric_limits<double>::quiet_NaN();

struct CurveNumbers {
  std::string group;
  std::vector<double> time, at_risk, events, censored, survival, lower, upper;
};

inline std::vector<CurveNumbers> curve_numbers() {
  return {
      {
          .group = "placebo",
          .time = {4,   6,   8,   11,  14,  18,  19,  23,  52,  57,  67,  91,  99,  104, 120, 146, 168, 175, 192, 198,
                   203, 206, 207, 211, 213, 226, 227, 236, 245, 246, 252, 255, 261, 264, 269, 270, 271, 273, 274, 276,
                   278, 280, 281, 288, 292, 293, 294, 300, 304, 306, 308, 316, 318, 329, 330, 334, 343, 357, 365},
          .at_risk = {65, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 51, 50, 49, 48, 47, 46, 45, 44,
                      43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 28, 26, 25, 24, 23, 22,
                      21, 20, 19, 18, 17, 16, 15, 13, 12, 11, 10, 9,  7,  6,  5,  4,  3,  2,  1},
          .events = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1,
                     0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0},
          .censored = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
                       1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 2, 0, 1, 1, 0, 1, 1, 1},
          .survival = {0.984615385, 0.969230769, 0.953846154, 0.938461538, 0.923076923, 0.907692308, 0.892307692, 0.876923077,
                       0.861538462, 0.846153846, 0.830769231, 0.815384615, 0.799396682, 0.783408748, 0.767420814, 0.751432881,
                       0.735444947, 0.719457014, 0.719457014, 0.719457014, 0.719457014, 0.702327085, 0.702327085, 0.684768908,
                       0.684768908, 0.666748673, 0.666748673, 0.648227877, 0.648227877, 0.629162351, 0.629162351, 0.629162351,
                       0.629162351, 0.608190273, 0.608190273, 0.608190273, 0.608190273, 0.608190273, 0.608190273, 0.608190273,
                       0.608190273, 0.577780759, 0.577780759, 0.577780759, 0.543793655, 0.543793655, 0.507540745, 0.507540745,
                       0.465245683, 0.465245683, 0.465245683, 0.465245683, 0.398782014, 0.398782014, 0.398782014, 0.29908651,
                       0.29908651,  0.29908651,  0.29908651},
          .lower = {0.89577368,  0.88252478,  0.863703044, 0.84429483,  0.825018021, 0.806022647, 0.787331425, 0.768932898,
                    0.750806897, 0.732932406, 0.715290001, 0.697862478, 0.679689915, 0.661758436, 0.64404788,  0.626541812,
                    0.60922665,  0.592091054, 0.592091054, 0.592091054, 0.592091054, 0.573500509, 0.573500509, 0.554534302,
                    0.554534302, 0.535163287, 0.535163287, 0.515353987, 0.515353987, 0.49506792,  0.49506792,  0.49506792,
                    0.49506792,  0.472403644, 0.472403644, 0.472403644, 0.472403644, 0.472403644, 0.472403644, 0.472403644,
                    0.472403644, 0.435703324, 0.435703324, 0.435703324, 0.395082318, 0.395082318, 0.353284584, 0.353284584,
                    0.30478914,  0.30478914,  0.30478914,  0.30478914,  0.222219598, 0.222219598, 0.222219598, 0.110811815,
                    0.110811815, 0.110811815, 0.110811815},
          .upper = {0.997818452, 0.992214717, 0.984877055, 0.976447993, 0.967240404, 0.957435222, 0.947148558, 0.936460333,
                    0.925428388, 0.914096202, 0.902497436, 0.890658764, 0.878243514, 0.865606602, 0.852764723, 0.839731829,
                    0.826519686, 0.813138292, 0.813138292, 0.813138292, 0.813138292, 0.798859116, 0.798859116, 0.784119065,
                    0.784119065, 0.768890701, 0.768890701, 0.753141987, 0.753141987, 0.736835522, 0.736835522, 0.736835522,
                    0.736835522, 0.719114652, 0.719114652, 0.719114652, 0.719114652, 0.719114652, 0.719114652, 0.719114652,
                    0.719114652, 0.696138552, 0.696138552, 0.696138552, 0.670578206, 0.670578206, 0.642729235, 0.642729235,
                    0.610912283, 0.610912283, 0.610912283, 0.610912283, 0.570110037, 0.570110037, 0.570110037, 0.515688591,
                    0.515688591, 0.515688591, 0.515688591},
      },
      {
          .group = "ifn",
          .time = {65,  82,  113, 118, 146, 160, 165, 167, 185, 187, 197, 199, 207, 217, 219, 243, 254, 255, 259,
                   263, 265, 267, 269, 270, 271, 273, 274, 276, 277, 279, 284, 286, 293, 294, 297, 303, 304, 315,
                   318, 327, 331, 334, 335, 336, 337, 339, 350, 360, 363, 364, 371, 373, 376, 382, 388},
          .at_risk = {63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 51, 50, 49, 48, 47, 46, 45, 44,
                      43, 42, 40, 39, 37, 36, 35, 33, 32, 31, 30, 29, 28, 27, 25, 24, 23, 22, 21,
                      20, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  4,  3,  2},
          .events = {1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0,
                     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
          .censored = {0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 2, 1, 1, 2, 0, 1,
                       1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2},
          .survival = {0.984126984, 0.968253968, 0.952380952, 0.936507937, 0.920634921, 0.920634921, 0.904483431, 0.888331941,
                       0.888331941, 0.871881349, 0.871881349, 0.871881349, 0.854443722, 0.854443722, 0.836642812, 0.836642812,
                       0.836642812, 0.836642812, 0.836642812, 0.836642812, 0.816722745, 0.796304676, 0.796304676, 0.796304676,
                       0.796304676, 0.796304676, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231,
                       0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231,
                       0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231, 0.772174231,
                       0.772174231, 0.772174231, 0.772174231, 0.643478526, 0.643478526, 0.643478526, 0.643478526},
          .lower = {0.89262391,  0.878973249, 0.859594713, 0.839617662, 0.819780227, 0.819780227, 0.799666427, 0.779946097,
                    0.779946097, 0.760030054, 0.760030054, 0.760030054, 0.738713142, 0.738713142, 0.717253751, 0.717253751,
                    0.717253751, 0.717253751, 0.717253751, 0.717253751, 0.692560371, 0.667754338, 0.667754338, 0.667754338,
                    0.667754338, 0.667754338, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933,
                    0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933,
                    0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933, 0.637155933,
                    0.637155933, 0.637155933, 0.637155933, 0.347412275, 0.347412275, 0.347412275, 0.347412275},
          .upper = {0.997748721, 0.991964577, 0.984389028, 0.975684985, 0.966175295, 0.966175295, 0.955919724, 0.945146689,
                    0.945146689, 0.933790995, 0.933790995, 0.933790995, 0.921541494, 0.921541494, 0.908714628, 0.908714628,
                    0.908714628, 0.908714628, 0.908714628, 0.908714628, 0.894424081, 0.879439833, 0.879439833, 0.879439833,
                    0.879439833, 0.879439833, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121,
                    0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121,
                    0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121, 0.862171121,
                    0.862171121, 0.862171121, 0.862171121, 0.832069074, 0.832069074, 0.832069074, 0.832069074},
      },
  };
}

inline protocol::Text text(std::string en, std::string zh = {}) {
  protocol::Text out;
  out.in_language.emplace_back("en", std::move(en));
  if (!zh.empty()) out.in_language.emplace_back("zh", std::move(zh));
  return out;
}

inline protocol::Protocol cgd_protocol() {
  using namespace protocol;
  Protocol p;
  p.file = "cgd.toml";
  p.digest = "9f1d2c5a7be04c6d8a3f1e2b7c9d0a4f5e6b8c7d9a0f1e2d3c4b5a6978877665";
  p.trial.id = "cgd";
  p.trial.title = text("Interferon gamma in chronic granulomatous disease: randomised, double-blind, placebo-controlled trial",
                       "\u03b3\u5e72\u6270\u7d20\u6cbb\u7597\u6162\u6027\u8089\u82bd\u80bf\u75c5\uff1a\u968f\u673a\u3001\u53cc"
                       "\u76f2\u3001\u5b89\u6170\u5242\u5bf9\u7167\u8bd5\u9a8c");
  p.trial.registry = "NCT00001317";
  p.trial.phase = "III";
  p.trial.version = "1.0";
  p.trial.planned_participants = 128;
  p.trial.languages = {"en", "zh"};
  Arm placebo, ifn;
  placebo.id = "placebo", placebo.role = ArmRole::placebo_control, placebo.label = text("Placebo", "\u5b89\u6170\u5242"),
  placebo.dose = Dose{0, "ug/m2"};
  ifn.id = "ifn", ifn.label = text("rIFN-\u03b3", "rIFN-\u03b3"), ifn.dose = Dose{50, "ug/m2"};
  p.arms = {placebo, ifn};
  Item age, sex, inherit, weight;
  age.id = "age", age.kind = ItemKind::integer, age.unit = "a", age.label = text("Age", "\u5e74\u9f84");
  weight.id = "weight", weight.unit = "kg", weight.label = text("Weight", "\u4f53\u91cd");
  sex.id = "sex", sex.kind = ItemKind::code, sex.label = text("Sex", "\u6027\u522b");
  sex.codes = {{"female", text("Female", "\u5973")}, {"male", text("Male", "\u7537")}};
  inherit.id = "inherit", inherit.kind = ItemKind::code, inherit.label = text("Inheritance", "\u9057\u4f20\u65b9\u5f0f");
  inherit.codes = {{"x_linked", text("X-linked", "X\u8fde\u9501")}, {"autosomal", text("Autosomal", "\u5e38\u67d3\u8272\u4f53")}};
  Form entry, log;
  entry.id = "entry", entry.label = text("Entry", "\u5165\u7ec4"), entry.items = {age, sex, inherit, weight};
  log.id = "infection", log.label = text("Serious infection", "\u4e25\u91cd\u611f\u67d3"), log.any_time = true;
  p.forms = {entry, log};
  AnalysisSet full;
  full.id = "full", full.label = text("Full analysis set", "\u5168\u5206\u6790\u96c6"),
  full.rule = expression::Expression("randomised", expression::Type::truth, nullptr);
  p.sets = {full};
  Endpoint first;
  first.id = "first_infection", first.level = "primary", first.kind = EndpointKind::time_to_event, first.benefit = Benefit::later;
  first.label = text("Time to first serious infection", "\u9996\u6b21\u4e25\u91cd\u611f\u67d3\u65f6\u95f4");
  first.event = expression::Expression("first(infection, serious)", expression::Type::moment, nullptr);
  p.endpoints = {first};
  Estimand e1;
  e1.id = "e1", e1.objective = "Whether interferon gamma delays the first serious infection",
  e1.population = "People with chronic granulomatous disease";
  e1.set = "full", e1.endpoint = "first_infection", e1.summary = "hazard_ratio", e1.compare = {"ifn"}, e1.against = "placebo";
  Intercurrent stop, transplant;
  stop.event = "treatment_stop";
  transplant.event = "transplant", transplant.strategy = Strategy::hypothetical, transplant.handling = "censored";
  e1.intercurrent = {stop, transplant};
  p.estimands = {e1};
  p.blinding = "double";
  Source source;
  source.note = "Object cgd of the R package survival 3.5-3, LGPL (>= 2).";
  p.source = source;
  return p;
}

inline results::Record record(std::string analysis, std::string method, Finding finding) {
  results::Record r;
  r.analysis = std::move(analysis), r.estimand = "e1", r.method = std::move(method), r.finding = std::move(finding);
  return r;
}

inline results::Results cgd_results() {
  using namespace results;
  Results r;
  r.provenance = {.version = "0.1.0",
                  .protocol_digest = cgd_protocol().digest,
                  .data_digest = "3b2f0c8e9d7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c",
                  .data_file = "cgd.csv",
                  .cutoff = "1991-01-31",
                  .seed = {},
                  .simulated = false,
                  .match = "r"};
  r.flow = {{"placebo", 65, {{"Death", 0}, {"Withdrew consent", 2}, {"Lost to follow-up", 1}}, 62, {{"full", 65, {}}}},
            {"ifn", 63, {{"Death", 0}, {"Withdrew consent", 1}, {"Lost to follow-up", 0}}, 62, {{"full", 63, {}}}}};
  r.quartile_rule = "Quartiles by SAS definition 5.";
  using Cell = BaselineItem::Cell;
  const auto cell = [](std::int64_t n, double mean, double sd, double median, double q1, double q3, double min, double max) {
    return Cell{.n = n,
                .missing = 0,
                .mean = mean,
                .sd = sd,
                .median = median,
                .lower_quartile = q1,
                .upper_quartile = q3,
                .min = min,
                .max = max,
                .counts = {}};
  };
  const auto counts = [](std::int64_t n, std::vector<std::int64_t> each) {
    Cell c;
    c.n = n, c.counts = std::move(each);
    return c;
  };
  r.baseline = {
      {"age",
       false,
       {},
       {cell(65, 14.98461538, 9.636344463, 14, 7, 24, 1, 35), cell(63, 14.28571429, 10.11933405, 12, 7, 20, 1, 44),
        cell(128, 14.640625, 9.844247191, 12, 7, 22, 1, 44)}},
      {"weight",
       false,
       {},
       {cell(65, 42.30153846, 24.31778215, 36.1, 21.6, 63.7, 10.4, 101.5),
        cell(63, 38.75873016, 19.92206294, 34.4, 20.6, 55.1, 11.3, 94.8),
        cell(128, 40.5578125, 22.24688462, 34.85, 20.65, 59.35, 10.4, 101.5)}},
      {"sex", true, {"female", "male"}, {counts(65, {12, 53}), counts(63, {12, 51}), counts(128, {24, 104})}},
      {"inherit", true, {"x_linked", "autosomal"}, {counts(65, {41, 24}), counts(63, {45, 18}), counts(128, {86, 42})}}};
  const auto run = [](std::string id, std::string role, std::string method, std::string title, std::string options) {
    AnalysisRun out;
    out.id = std::move(id), out.estimand = "e1", out.endpoint = "first_infection", out.set = "full", out.role = std::move(role);
    out.method = std::move(method), out.title = std::move(title), out.options = std::move(options), out.n = 128;
    return out;
  };
  r.runs = {run("a01", "primary", "log_rank", "Log-rank test", "{}"),
            run("a02", "secondary", "cox", "Cox proportional hazards model", R"({"level":0.95,"ties":"efron"})"),
            run("a03", "secondary", "kaplan_meier", "Kaplan-Meier estimate",
                R"({"interval":"log-log","level":0.95,"probs":[0.5],"times":[180,360]})")};
  r.runs[1].notes = {"Efron's approximation for tied events."};
  const auto at_group = [](std::string group) { return At{{"group", std::move(group)}}; };
  const auto finding = [](std::string quantity, At at, double value) {
    Finding f;
    f.quantity = std::move(quantity), f.at = std::move(at), f.value = value;
    return f;
  };
  r.records.push_back(record("a01", "log_rank", finding("observed", at_group("placebo"), 30)));
  r.records.push_back(record("a01", "log_rank", finding("expected", at_group("placebo"), 18.9230422031)));
  r.records.push_back(record("a01", "log_rank", finding("observed", at_group("ifn"), 14)));
  r.records.push_back(record("a01", "log_rank", finding("expected", at_group("ifn"), 25.0769577969)));
  Finding test = finding("chi_square", {}, 11.7425108689);
  test.df = 1, test.p = 0.000610885537409;
  r.records.push_back(record("a01", "log_rank", test));
  const At ifn_term{{"term", Term{Factor{"arm", "ifn"}}}};
  Finding log_hr = finding("estimate", ifn_term, -1.0940228192195);
  log_hr.se = 0.33478680728384, log_hr.p = 0.0010837950476116;
  r.records.push_back(record("a02", "cox", log_hr));
  Finding hr = finding("hazard_ratio", ifn_term, 0.3348666724);
  hr.lower = 0.17374042499556, hr.upper = 0.64542082411548, hr.level = 0.95, hr.p = 0.0010837950476116, hr.scale = Scale::log;
  r.records.push_back(record("a02", "cox", hr));
  r.records.push_back(record("a02", "cox", finding("concordance", {}, 0.621)));
  r.records.push_back(record("a02", "cox", finding("n_events", {}, 44)));
  for (auto const& c : curve_numbers()) {
    Series s;
    s.quantity = "survival", s.at = at_group(c.group);
    s.columns = {{"time", c.time},         {"survival", c.survival}, {"lower", c.lower},        {"upper", c.upper},
                 {"n_at_risk", c.at_risk}, {"n_events", c.events},   {"n_censored", c.censored}};
    r.curves.push_back({"a03", s});
    const bool placebo = c.group == "placebo";
    r.records.push_back(record("a03", "kaplan_meier", finding("n_events", at_group(c.group), placebo ? 30 : 14)));
    Finding median = finding("quantile", At{{"group", c.group}, {"prob", 0.5}}, placebo ? 304 : ne);
    median.lower = placebo ? 246 : 373, median.upper = ne, median.level = 0.95;
    r.records.push_back(record("a03", "kaplan_meier", median));
    struct Read {
      double time, survival, se, lower, upper, at_risk;
    };
    const std::vector<Read> reads = placebo ? std::vector<Read>{{180, 0.71945701, 0.056180740, 0.59209105, 0.81313829, 45},
                                                                {360, 0.29908651, 0.110562369, 0.11081181, 0.51568859, 1}}
                                            : std::vector<Read>{{180, 0.88833194, 0.039790151, 0.77994610, 0.94514669, 55},
                                                                {360, 0.77217423, 0.056616060, 0.63715593, 0.86217112, 10}};
    for (auto const& read : reads) {
      Finding s_t = finding("survival", At{{"group", c.group}, {"time", read.time}}, read.survival);
      s_t.se = read.se, s_t.lower = read.lower, s_t.upper = read.upper, s_t.level = 0.95, s_t.scale = Scale::log_log;
      r.records.push_back(record("a03", "kaplan_meier", s_t));
      r.records.push_back(
          record("a03", "kaplan_meier", finding("n_at_risk", At{{"group", c.group}, {"time", read.time}}, read.at_risk)));
    }
  }
  return r;
}

}  // namespace equipoise::report::fixture
