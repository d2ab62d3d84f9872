#include "equipoise/results/results.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "equipoise/core/text.h"
#include "equipoise/results/json_writer.h"
#include "equipoise/results/labels.h"

namespace equipoise::results {
namespace {

using Json = nlohmann::ordered_json;

std::string options(std::string const& canonical) {
  return canonical.empty() ? "{}" : Json::accept(canonical) ? canonical : json_text(canonical);
}

std::string factor(Factor const& factor) { return Object().text("column", factor.column).text_if("level", factor.level).str(); }

/// A term in the form of its key: factors of a coefficient, columns of an effect, levels of a mean.
std::string term(std::string_view key, Term const& factors) {
  if (key == "effect") return list(factors, [](Factor const& one) { return json_text(one.column); });
  if (key == "term") return list(factors, factor);
  Object levels;
  for (Factor const& one : factors) levels.text(one.column, one.level.value_or(""));
  return levels.str();
}

std::string at(At const& place) {
  Object out;
  for (auto const& [key, value] : place) {
    if (key == "global") out.flag(key, true);
    else if (const auto* text = std::get_if<std::string>(&value)) out.text(key, *text);
    else if (const auto* real = std::get_if<double>(&value)) out.real(key, *real);
    else if (const auto* factors = std::get_if<Term>(&value)) out.raw(key, term(key, *factors));
    else if (const auto* interval = std::get_if<TimeInterval>(&value))
      out.raw(key, "[" + number(interval->from) + ", " + (std::isinf(interval->to) ? "null" : number(interval->to)) + "]");
    else {
      auto const& [column, level, minus] = std::get<LevelDifference>(value);
      out.raw(key, Object().text("column", column).text("level", level).text("minus", minus).str());
    }
  }
  return out.str();
}

std::string json(Record const& record) {
  Finding const& f = record.finding;
  Object out;
  out.text("analysis", record.analysis).text_if("estimand", record.estimand).text("quantity", f.quantity).raw("at", at(f.at));
  out.real("value", f.value).real("se", f.se).real("df", f.df).real("lower", f.lower).real("upper", f.upper);
  out.real("level", f.level).real("p", f.p);
  if (f.n) out.count("n", *f.n);
  out.text("scale", scale_word(f.scale)).text("method", record.method).raw("options", options(record.options));
  return out.raw("footnotes", texts(record.footnotes)).str();
}

std::string json(Curve const& curve) {
  Object columns;
  for (auto const& [column, values] : curve.series.columns) columns.raw(column, list(values, number));
  return Object()
      .text("analysis", curve.analysis)
      .text("quantity", curve.series.quantity)
      .raw("at", at(curve.series.at))
      .raw("columns", columns.str())
      .str();
}

std::string json(AnalysisRun const& run) {
  Object out;
  out.text("id", run.id)
      .text_if("estimand", run.estimand)
      .text("endpoint", run.endpoint)
      .text("set", run.set)
      .text("role", run.role);
  out.text("method", run.method).text("title", run.title).raw("options", options(run.options)).count("n", run.n);
  out.raw("notes", texts(run.notes)).text_if("problem", run.problem);
  if (!run.warnings.empty()) out.raw("warnings", texts(run.warnings));
  return out.str();
}

std::string counts(std::vector<Count> const& values) {
  return list(values, [](Count const& c) { return Object().text("label", c.label).count("n", c.n).str(); });
}

std::string json(FlowArm const& arm) {
  const auto set = [](FlowArm::Set const& s) {
    return Object().text("set", s.id).count("n", s.n).raw("excluded", counts(s.excluded)).str();
  };
  return Object()
      .text("arm", arm.arm)
      .count("randomised", arm.randomised)
      .raw("left", counts(arm.left))
      .count("completed", arm.completed)
      .raw("sets", list(arm.sets, set))
      .str();
}

std::string json(BaselineItem const& item) {
  const auto cell = [&](BaselineItem::Cell const& c) {
    Object out;
    out.count("n", c.n).count("missing", c.missing).count("bounded", c.bounded);
    if (item.categorical) return out.raw("counts", list(c.counts, [](std::int64_t n) { return std::to_string(n); })).str();
    out.real("mean", c.mean).real("sd", c.sd).real("median", c.median).real("lower_quartile", c.lower_quartile);
    return out.real("upper_quartile", c.upper_quartile).real("min", c.min).real("max", c.max).str();
  };
  Object out;
  out.text("item", item.item).flag("categorical", item.categorical);
  if (item.categorical) out.raw("levels", texts(item.levels));
  if (!item.notes.empty()) out.raw("notes", texts(item.notes));
  return out.raw("cells", list(item.cells, cell)).str();
}

std::string json(Multiplicity const& m) {
  const auto hypothesis = [](Hypothesis const& h) {
    Object out;
    out.text("id", h.id).text("analysis", h.analysis).text("arm", h.arm).raw("at", at(h.at)).real("weight", h.weight);
    out.real("p", h.p).real("adjusted_p", h.adjusted_p).flag("rejected", h.rejected);
    if (h.estimate) out.text("quantity", h.quantity);
    out.real("estimate", h.estimate).real("lower", h.lower).real("upper", h.upper);
    return out.raw("notes", texts(h.notes)).str();
  };
  const auto edge = [](Edge const& e) {
    return Object().text("from", e.from).text("to", e.to).raw("weight", e.weight ? number(*e.weight) : "\"epsilon\"").str();
  };
  Object out;
  out.text("method", m.method).real("alpha", m.alpha).raw("hypotheses", list(m.hypotheses, hypothesis));
  return out.raw("edges", list(m.edges, edge)).raw("notes", texts(m.notes)).str();
}

std::string json(Alternative const& a) {
  Object out;
  out.text("analysis", a.analysis).text("choice", a.choice).text("name", a.name).text("title", a.title).text("arm", a.arm);
  out.raw("at", at(a.at)).real("estimate", a.estimate).real("se", a.se).real("df", a.df).real("lower", a.lower);
  out.real("upper", a.upper).real("p", a.p).real("adjusted_p", a.adjusted_p);
  return out.flag("rejected", a.rejected).flag("differs", a.differs).str();
}

std::string json(Subgroup const& s) {
  const auto count = [](SubgroupLevel::Count const& c) {
    Object out;
    out.text("arm", c.arm).count("n", c.n);
    if (c.events) out.count("events", *c.events);
    return out.str();
  };
  const auto effect = [](SubgroupLevel::Effect const& e) {
    Finding const& f = e.finding;
    Object out;
    out.text("arm", e.arm).text("quantity", f.quantity).raw("at", at(f.at)).real("value", f.value).real("lower", f.lower);
    out.real("upper", f.upper).real("level", f.level).real("p", f.p);
    return out.real("estimate", e.estimate).real("se", e.se).str();
  };
  const auto level = [&](SubgroupLevel const& l) {
    Object out;
    out.text("level", l.level).raw("counts", list(l.counts, count)).raw("effects", list(l.effects, effect));
    return out.raw("notes", texts(l.notes)).str();
  };
  const auto interaction = [](Interaction const& i) {
    Object out;
    if (!i.arm.empty()) out.text("arm", i.arm);
    return out.text("statistic", i.statistic)
        .real("value", i.value)
        .real("df", i.df)
        .real("residual_df", i.residual_df)
        .real("p", i.p)
        .str();
  };
  Object out;
  out.text("analysis", s.analysis).text("item", s.item).raw("levels", list(s.levels, level));
  return out.raw("interactions", list(s.interactions, interaction)).count("missing", s.missing).str();
}

std::string json(Provenance const& p) {
  Object out;
  out.text("version", p.version).text("protocol_digest", p.protocol_digest).text("data_digest", p.data_digest);
  out.text("data_file", p.data_file).text_if("cutoff", p.cutoff);
  if (p.seed) out.raw("seed", std::to_string(*p.seed));
  return out.flag("simulated", p.simulated).text("match", p.match).raw("notes", texts(p.notes)).str();
}

}  // namespace

bool is_log_of(double estimate, double ratio) {
  if (std::isnan(estimate) || std::isnan(ratio)) return std::isnan(estimate) && std::isnan(ratio);
  return std::exp(estimate) == ratio ||  // infinite and 0 too
         std::fabs(estimate - std::log(ratio)) <= 1e-6 * std::max(1.0, std::fabs(estimate));
}

std::string to_json(Results const& results) {
  const auto write = [](auto const& value) { return json(value); };
  const std::string_view line = "\n    ";
  std::string out = "{\n";
  out += std::string("  \"provenance\": ") + json(results.provenance) + ",\n";
  out += std::string("  \"flow\": ") + list(results.flow, write, line) + ",\n";
  out += std::string("  \"baseline\": ") + list(results.baseline, write, line) + ",\n";
  if (!results.exposure.empty()) out += std::string("  \"exposure\": ") + list(results.exposure, write, line) + ",\n";
  out += std::string("  \"quartile_rule\": ") + json_text(results.quartile_rule) + ",\n";
  out += std::string("  \"analyses\": ") + list(results.runs, write, line) + ",\n";
  if (results.multiplicity) out += std::string("  \"multiplicity\": ") + json(*results.multiplicity) + ",\n";
  if (!results.alternatives.empty()) out += std::string("  \"alternatives\": ") + list(results.alternatives, write, line) + ",\n";
  if (!results.subgroups.empty()) out += std::string("  \"subgroups\": ") + list(results.subgroups, write, line) + ",\n";
  out += std::string("  \"records\": ") + list(results.records, write, line) + ",\n";
  out += std::string("  \"curves\": ") + list(results.curves, write, line) + "\n}\n";
  return out;
}

namespace {

/// "a, b" of a list, "(key value; key value)" of a table.
std::string value_in_words(Json const& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return shortest(value.get<double>());
  std::string text;
  if (value.is_array()) {
    for (auto const& one : value) text += (text.empty() ? "" : ", ") + value_in_words(one);
    return text;
  }
  if (value.is_object()) {
    for (auto const& [key, one] : value.items()) text += (text.empty() ? "" : "; ") + key + " " + value_in_words(one);
    return "(" + text + ")";
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> options_in_words(std::string_view canonical_json) {
  const Json parsed = Json::parse(canonical_json, nullptr, false);
  std::vector<std::pair<std::string, std::string>> words;
  if (!parsed.is_object()) return words;
  for (auto const& [key, value] : parsed.items()) words.emplace_back(key, value_in_words(value));
  return words;
}

}  // namespace equipoise::results
