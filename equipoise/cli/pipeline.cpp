#include "equipoise/cli/pipeline.h"

#include <algorithm>
#include <filesystem>

#include "equipoise/analysis/run.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/version.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats.h"
#include "equipoise/data/join.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"
#include "equipoise/report/headline.h"
#include "equipoise/results/labels.h"

namespace equipoise::cli {

Problems choose(study::Study& study, std::vector<std::string> const& wanted) {
  Problems problems;
  std::vector<std::string> known;
  for (protocol::Analysis const& analysis : study.protocol.analyses) known.push_back(analysis.id);
  for (std::string const& id : wanted) {
    if (std::ranges::find(known, id) != known.end()) continue;
    Error& error = add_problem(problems, {}, Code::usage, "the protocol has no analysis '{}'", id);
    if (const auto near = nearest(id, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  }
  const auto chosen = [&](std::string const& id) { return wanted.empty() || std::ranges::find(wanted, id) != wanted.end(); };
  for (protocol::Analysis const& analysis : study.protocol.analyses) {
    const bool carried =
        std::ranges::find(study.plan.analyses, analysis.id, &analysis::PlannedAnalysis::id) != study.plan.analyses.end();
    if (chosen(analysis.id) && !carried)
      add_problem(problems, analysis.method_place, Code::not_available,
                  "analysis '{}' needs the method {}, which this build does not carry", analysis.id, analysis.method)
          .hint = "name the analyses to run: --analysis ID, once for each";
  }
  if (auto const& multiplicity = study.plan.multiplicity) {
    std::vector<std::string> left_out;
    for (analysis::PlannedHypothesis const& one : multiplicity->hypotheses)
      if (!chosen(one.analysis) && std::ranges::find(left_out, one.analysis) == left_out.end()) left_out.push_back(one.analysis);
    if (std::ranges::none_of(multiplicity->hypotheses,
                             [&](analysis::PlannedHypothesis const& one) { return chosen(one.analysis); }))
      study.plan.multiplicity.reset();
    else
      for (std::string const& id : left_out)
        add_problem(problems, study.protocol.multiplicity->place, Code::usage,
                    "adjusted P values need every hypothesis of [multiplicity], and analysis '{}' is not to be run", id)
            .hint = fmt::format("add --analysis {}, or name no analysis of a hypothesis", id);
  }
  std::erase_if(study.plan.analyses, [&](analysis::PlannedAnalysis const& planned) { return !chosen(planned.id); });
  return problems;
}

std::string joined_path(std::string const& data_file, protocol::SourceJoin const& join) {
  return (std::filesystem::path(data_file).parent_path() / join.file).string();
}

namespace {

/// The data file with the files that [source] joins to it, which stand in the same folder.
Checked<data::CellTable> read_tables(protocol::Protocol const& protocol, data::FileBytes bytes, std::string const& file,
                                     std::vector<std::string>& notes, std::size_t shown) {
  Problems problems;
  data::FormatInput input{.bytes = std::move(bytes), .file = file, .problems_shown = shown};
  if (protocol.source) input.columns = data::columns_of_file(*protocol.source);
  auto table = data::Formats::read(std::move(input));
  if (!table) problems = table.error();
  std::vector<data::CellTable> others;
  if (protocol.source)
    for (protocol::SourceJoin const& join : protocol.source->joins) {
      const std::string path = joined_path(file, join);
      auto read = DataFile::open(path);
      if (!read) {
        problems.push_back(read.error());
        continue;
      }
      auto other =
          data::Formats::read({.bytes = read->bytes(), .file = path, .columns = data::columns_of_file(*protocol.source, join)});
      if (const auto digest = read->digest())
        notes.push_back(fmt::format("Joined by participant as '{}': {}, SHA-256 {}.", join.as, join.file, *digest));
      else problems.push_back(digest.error());
      if (other) others.push_back(std::move(*other));
      else problems.insert(problems.end(), other.error().begin(), other.error().end());
    }
  if (!problems.empty()) return fail(std::move(problems));
  if (others.empty()) return table;
  return data::with_joined(protocol, std::move(*table), others);
}

}  // namespace

Checked<ReadData> read_data(protocol::Protocol const& protocol, std::string const& protocol_file, std::string file,
                            std::size_t shown) {
  if (file.empty() && protocol.source && !protocol.source->file.empty())
    file = (std::filesystem::path(protocol_file).parent_path() / protocol.source->file).string();
  if (file.empty()) return fail(Problems{Error{Code::usage, "no data file: give --data FILE, or 'file' in [source]", {}, {}}});
  ReadData data{.records = {}, .file = file, .digest = {}, .joined = {}};
  auto opened = DataFile::open(file);
  if (!opened) return fail(Problems{opened.error()});
  auto records = [&]() -> Checked<data::TrialRecords> {  // the cells are gone before the analyses begin
    const auto table = read_tables(protocol, opened->bytes(), file, data.joined, shown);
    return table ? data::read_source(protocol, *table, shown) : fail(table.error());
  }();
  auto digest = opened->digest();
  if (!digest) return fail(Problems{digest.error()});
  if (!records) return fail(records.error());
  data.records = std::move(*records), data.digest = std::move(*digest);
  return data;
}

Checked<Answered> answer(Question const& question) {
  const auto bytes = read_file(question.protocol, protocol::longest_protocol + 1);
  if (!bytes) return fail(Problems{bytes.error()});
  auto study = study::load(*bytes, question.protocol);
  if (!study) return fail(study.error());
  if (Problems problems = choose(*study, question.analyses); !problems.empty()) return fail(std::move(problems));

  auto data = read_data(study->protocol, question.protocol, question.data);
  if (!data) return fail(data.error());
  results::Provenance provenance{.version = std::string(version),
                                 .protocol_digest = study->protocol.digest,
                                 .data_digest = data->digest,
                                 .data_file = std::filesystem::path(data->file).filename().string(),
                                 .cutoff = {},
                                 .seed = {},
                                 .simulated = study->protocol.trial.simulated,
                                 .match = study->protocol.conventions.match};
  data::TrialRecords records = std::move(data->records);
  if (question.cutoff) {
    const auto date = to_partial_date(*question.cutoff);
    if (!date || !date->exact())
      return fail(
          Problems{Error{Code::usage, fmt::format("the data cut-off '{}' is not a date YYYY-MM-DD", *question.cutoff), {}, {}}});
    auto cut = data::as_of(std::move(records), date->earliest, study->protocol);
    if (!cut) return fail(Problems{cut.error()});
    records = std::move(*cut);
    provenance.cutoff = *question.cutoff;
  }
  provenance.notes = records.notes;
  provenance.notes.insert(provenance.notes.end(), data->joined.begin(), data->joined.end());
  const data::TrialTables tables(study->protocol, records);
  results::Results results = analysis::run(study->protocol, study->plan, tables, std::move(provenance));
  return Answered{std::move(*study), std::move(results)};
}

namespace {

struct Find {
  results::Results const& results;
  std::string const& analysis;

  results::Record const* operator()(std::string_view quantity, std::string_view group = {}) const {
    for (results::Record const& record : results.records) {
      if (record.analysis != analysis || record.finding.quantity != quantity) continue;
      if (group.empty()) return &record;
      const auto at = record.finding.at.find("group");
      if (at != record.finding.at.end() && std::get<std::string>(at->second) == group) return &record;
    }
    return nullptr;
  }
};

/// "Low dose: " when a trial of several arms has several ratios; of a covariate its name.
std::string of_term(protocol::Protocol const& protocol, Finding const& finding) {
  const auto term = finding.at.find("term");
  if (term == finding.at.end()) return "";
  std::vector<std::string> names;
  for (Factor const& factor : std::get<Term>(term->second)) {
    const protocol::Arm* arm = factor.column == "arm" && factor.level ? protocol.arm(*factor.level) : nullptr;
    if (arm && protocol.arms.size() == 2) continue;
    names.push_back(arm ? arm->label.in("en") : factor.level ? factor.column + " " + *factor.level : factor.column);
  }
  return names.empty() ? "" : join(names, " x ") + ": ";
}

std::string p_text(double p) {
  return std::isnan(p) ? "NE" : p < 0.0001 ? "< 0.0001" : p < 0.01 ? fmt::format("= {:.4f}", p) : fmt::format("= {:.3f}", p);
}

}  // namespace

std::string headline(Answered const& answered) {
  protocol::Protocol const& protocol = answered.study.protocol;
  const report::Context context(protocol, answered.results, "en");
  std::string out = protocol.trial.simulated ? "SIMULATED data\n" : "";
  for (std::string const& note : answered.results.provenance.notes) out += "note: " + note + "\n";
  for (results::AnalysisRun const& run : answered.results.runs) {
    const Find find{answered.results, run.id};
    out += fmt::format("{} ({}, {}): ", run.id, run.role, run.title);
    if (run.problem) {
      out += *run.problem + "\n";
      continue;
    }
    std::vector<std::string> parts;
    std::vector<std::string> counts;
    const protocol::Endpoint* endpoint = protocol.endpoint(run.endpoint);
    const bool again = endpoint && endpoint->event && endpoint->event->gives_several();  // more events than people, perhaps
    for (protocol::Arm const& arm : protocol.arms) {
      const auto* events = find("n_events", arm.id);
      const auto* people = find("n_subjects", arm.id);
      if (events && people)
        counts.push_back(fmt::format("{} {} {} {}", arm.label.in("en"), shortest(events->finding.value),
                                     again ? "events in" : "of", shortest(people->finding.value)));
    }
    if (!counts.empty()) parts.push_back(join(counts, ", "));
    // A model has many means and differences; its answer is the comparison of arms, of several visits at that of the endpoint.
    const bool model = std::ranges::any_of(answered.results.records, [&](results::Record const& record) {
      return record.analysis == run.id && record.finding.at.contains("lsmean");
    });
    if (model) {
      for (results::Record const* record : report::effects(context, run)) {
        Finding const& f = record->finding;
        std::string text = report::place_in_words(context, run, f.at) + ": " +
                           report::inside_sentence(report::quantity_in_words(context, run, f)) + " ";
        text += std::isnan(f.value) ? "NE" : fmt::format("{:#.3g}", f.value);
        if (f.lower && f.upper && !std::isnan(f.value)) text += fmt::format(" ({:#.3g} to {:#.3g})", *f.lower, *f.upper);
        if (f.p) text += ", P " + p_text(*f.p);
        parts.push_back(text);
      }
      out += join(parts, "; ") + "\n";
      continue;
    }
    for (results::Record const& record : answered.results.records) {
      Finding const& f = record.finding;
      if (record.analysis != run.id) continue;
      const auto level = f.at.find("level");
      const protocol::Arm* compared = level == f.at.end() ? nullptr : protocol.arm(std::get<std::string>(level->second));
      const std::string versus = compared ? compared->label.in("en") + ": " : "";
      if (f.quantity == "hazard_ratio")
        parts.push_back(of_term(protocol, f) +
                        (std::isnan(f.value) ? "hazard ratio NE"
                                             : fmt::format("hazard ratio {:.3f} ({:.3f} to {:.3f})", f.value,
                                                           f.lower.value_or(missing_number), f.upper.value_or(missing_number))));
      if (f.quantity == "estimate" && run.method != "cox") {  // of Cox's model the hazard ratio says it
        const auto group = f.at.find("group");
        const protocol::Arm* of = group == f.at.end() ? nullptr : protocol.arm(std::get<std::string>(group->second));
        std::string text = of ? of->label.in("en") + ": " : versus;
        text += std::isnan(f.value) ? results::quantity_label("estimate", "en", run.method) + " NE"
                                    : fmt::format("{} {:#.3g}", results::quantity_label("estimate", "en", run.method), f.value);
        if (f.lower && f.upper && !std::isnan(f.value)) text += fmt::format(" ({:#.3g} to {:#.3g})", *f.lower, *f.upper);
        if (f.p) text += ", P " + p_text(*f.p);
        parts.push_back(text);
      }
      if (f.quantity == "p") parts.push_back(versus + "P " + p_text(f.value));
      if (f.quantity == "chi_square" && f.p) parts.push_back(versus + "P " + p_text(*f.p));
    }
    out += join(parts, "; ") + "\n";
  }
  if (auto const& family = answered.results.multiplicity) {
    std::vector<std::string> parts;
    for (results::Hypothesis const& one : family->hypotheses) {
      const auto p = one.adjusted_p ? "adjusted P " + p_text(*one.adjusted_p) : "P " + p_text(one.p);
      parts.push_back(fmt::format("{} {}, {}", one.id, p, one.rejected ? "rejected" : "not rejected"));
    }
    out += fmt::format("multiplicity ({}, alpha {}): {}\n", family->method, shortest(family->alpha), join(parts, "; "));
  }
  return out;
}

Problems unanswered(Answered const& answered) {
  Problems problems;
  for (results::AnalysisRun const& run : answered.results.runs)
    if (run.role == "primary" && run.problem)
      add_problem(problems, {}, Code::no_data, "the primary analysis '{}' has no answer: {}", run.id, *run.problem);
  return problems;
}

Problems dependences(Answered const& answered) {
  Problems problems;
  for (results::AnalysisRun const& run : answered.results.runs) {
    const auto analysis = std::ranges::find(answered.study.protocol.analyses, run.id, &protocol::Analysis::id);
    for (std::string const& warning : run.warnings)
      add_problem(problems, analysis->place, Code::inconsistent, "analysis '{}': {}", run.id, warning);
  }
  return problems;
}

}  // namespace equipoise::cli
