#include "equipoise/simulate/monitoring.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "equipoise/analysis/question.h"
#include "equipoise/core/section.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/simulate/derivation.h"

namespace equipoise::simulate {
namespace {

constexpr std::array<std::pair<std::string_view, Monitoring::Statistic>, 2> statistics{
    {{"z", Monitoring::Statistic::z}, {"wald", Monitoring::Statistic::wald}}};

constexpr std::array<std::pair<std::string_view, bool>, 2> directions{{{"either", true}, {"better", false}}};

std::optional<Look> read_look(Section& section, Look const* before) {
  const std::size_t problems = section.problems().size();
  Look look{.id = section.id("id", true).value_or(""),
            .events = {},
            .completed = {},
            .critical_value = {},
            .futility = {},
            .place = section.place()};
  section.rename(fmt::format("look '{}'", look.id));
  const Limits counts{.min = 1, .max = 100000};
  look.events = section.integer("events", counts), look.completed = section.integer("completed", counts);
  if (section.has("events") && section.has("completed"))
    section.report_at("completed", Code::inconsistent, "{} takes place by 'events' or by 'completed', and has both",
                      section.name());
  look.critical_value = section.number("critical_value", {.min = 0, .max = 40});
  look.futility = section.number("futility", {.min = -40, .max = 40});
  if (look.critical_value && look.futility && *look.futility > *look.critical_value)
    section.report_at("futility", Code::inconsistent, "{} ends for futility below {:g}, which is beyond its critical value {:g}",
                      section.name(), *look.futility, *look.critical_value);
  if (before && ((look.events && before->events && *look.events <= *before->events) ||
                 (look.completed && before->completed && *look.completed <= *before->completed)))
    section.report_at(look.events ? "events" : "completed", Code::inconsistent,
                      "{} has no more information than the look before it", section.name());
  section.finish();
  if (section.problems().size() != problems) return {};
  return look;
}

}  // namespace

std::optional<Monitoring> Monitoring::parse(protocol::Protocol const& protocol, Problems& problems) {
  if (!protocol.monitoring) return {};
  const std::size_t before = problems.size();
  Monitoring made;
  Section section(protocol.monitoring->section, "[monitoring]", problems);
  made.place = section.place();
  made.analysis = section.need_text("analysis").value_or("");
  made.statistic = section.word<Statistic>("statistic", statistics).value_or(Statistic::z);
  const auto analysis = std::ranges::find(protocol.analyses, made.analysis, &protocol::Analysis::id);
  if (analysis == protocol.analyses.end() && !made.analysis.empty()) {
    std::vector<std::string> ids;
    for (protocol::Analysis const& one : protocol.analyses) ids.push_back(one.id);
    Error& error = section.report_at("analysis", Code::unresolved, "[monitoring] looks at the analysis '{}', and there is none",
                                     made.analysis);
    if (const auto near = nearest(made.analysis, ids)) error.hint = fmt::format("did you mean '{}'?", *near);
  }
  const protocol::Endpoint* endpoint = analysis == protocol.analyses.end() ? nullptr : protocol.endpoint(analysis->endpoint);
  const bool benefit = endpoint && endpoint->benefit != protocol::Benefit::unstated;
  made.either = section.word<bool>("direction", directions).value_or(!benefit);
  if (!made.either && endpoint && !benefit)
    section
        .report_at("direction", Code::inconsistent,
                   "[monitoring] rejects for benefit, and endpoint '{}' does not say what its benefit is", endpoint->id)
        .hint = "add benefit to the endpoint, or say direction = \"either\"";
  section.need("look");
  std::set<std::string> seen;
  for (Section& one : section.tables("look", "a look of [monitoring]")) {
    auto look = read_look(one, made.looks.empty() ? nullptr : &made.looks.back());
    if (!look) continue;
    if (!seen.insert(look->id).second) one.report_at("id", Code::duplicate, "the id '{}' is given to two looks", look->id);
    if (look->events && endpoint && endpoint->kind != protocol::EndpointKind::time_to_event)
      one.report_at("events", Code::inconsistent, "look '{}' counts events, and endpoint '{}' is none of time to event", look->id,
                    endpoint->id);
    if (look->completed && endpoint && endpoint->at.empty())
      one.report_at("completed", Code::inconsistent, "look '{}' waits for a visit, and endpoint '{}' is asked at none", look->id,
                    endpoint->id)
          .hint = "count events, or give the endpoint 'at'";
    if (look->futility && endpoint && !benefit)
      one.report_at("futility", Code::inconsistent,
                    "look '{}' ends for futility, and endpoint '{}' does not say what its benefit is", look->id, endpoint->id)
          .hint = "add benefit to the endpoint";
    if (!made.looks.empty() && !made.looks.back().events && !made.looks.back().completed)
      one.report_at("id", Code::inconsistent, "look '{}' comes after look '{}', which is at the end of the trial", look->id,
                    made.looks.back().id)
          .hint = "say when by 'events' or 'completed'; only the last look can do without";
    made.looks.push_back(std::move(*look));
  }
  if (section.has("look") && problems.size() == before) {
    if (made.looks.empty()) section.report_at("look", Code::out_of_range, "[monitoring] has no look");
    else if (std::ranges::none_of(made.looks, [](Look const& look) { return look.critical_value.has_value(); }))
      section.report_at("look", Code::missing_key, "no look of [monitoring] has a 'critical_value': nothing could be rejected");
  }
  section.finish();
  if (problems.size() != before) return {};
  return made;
}

double Monitoring::value(Statement const& statement, Said const& said) const {
  const double towards = statement.better == 0 ? 1 : statement.better;
  if (statistic == Statistic::wald) return towards * said.estimate / said.se;
  if (!said.answered()) return missing_number;
  const double size = said.p > 0 ? -numerics::normal_quantile(said.p / 2) : std::numeric_limits<double>::infinity();
  if (either && std::isnan(said.sign)) return std::abs(size);  // a statistic without a direction
  return towards * said.sign * std::abs(size);
}

bool Monitoring::rejects(Look const& look, double z) const {
  return look.critical_value && (either ? std::abs(z) : z) >= *look.critical_value;  // not for NaN
}

bool Monitoring::ends_for_futility(Look const& look, double z) const { return look.futility && z < *look.futility; }

struct LookDays::Work {
  Monitoring const& monitoring;
  std::optional<CompiledDerivation> derivation{};
  CompiledDerivation::Scratch scratch{};
  std::optional<std::size_t> visit{};         // of the question
  std::vector<double> events{}, completed{};  // days since the trial opened, in order
  double end = 0;
  bool counts_events = false;
};

LookDays::LookDays(study::Study const& study, Layout const& layout, Monitoring const& monitoring, std::size_t planned)
    : work_(new Work{monitoring}) {
  protocol::Protocol const& protocol = study.protocol;
  analysis::PlannedAnalysis const& analysis = study.plan.analyses[planned];
  if (auto compiled = compile(protocol, layout, analysis.recipe)) work_->derivation.emplace(std::move(*compiled));
  const protocol::Endpoint* endpoint = protocol.endpoint(analysis.recipe.endpoint);
  if (!endpoint) return;
  work_->counts_events = work_->derivation && endpoint->kind == protocol::EndpointKind::time_to_event;
  const auto visit = std::ranges::find(protocol.visits, endpoint->at, &protocol::Visit::id);
  if (visit != protocol.visits.end()) work_->visit = std::size_t(visit - protocol.visits.begin());
}
LookDays::~LookDays() = default;
LookDays::LookDays(LookDays&&) noexcept = default;

bool LookDays::sound() const {
  return work_->derivation.has_value() ||
         std::ranges::none_of(work_->monitoring.looks, [](Look const& look) { return look.events.has_value(); });
}

void LookDays::take(VirtualTrial const& trial) {
  Work& work = *work_;
  work.end = trial.last_day(), work.events.clear(), work.completed.clear();
  if (work.visit)
    for (std::size_t i = 0; i < trial.n; ++i) {
      const double day = trial.visit_day[*work.visit * trial.n + i];
      work.completed.push_back(trial.entry[i] +
                               (std::isnan(day) ? trial.follow_up_end[i] : std::min(day, trial.follow_up_end[i])));
    }
  if (work.derivation)
    if (const auto view = work.derivation->run(trial, work.scratch)) {
      ColumnView const *time = nullptr, *event = nullptr;
      for (ColumnView const& column : view->columns) {
        if (column.name == "time") time = &column;
        if (column.name == "event") event = &column;
      }
      const std::span<const std::uint32_t> who = work.scratch.who();
      if (time && event && who.size() == view->rows)
        for (std::size_t row = 0; row < view->rows; ++row)
          if (event->numbers()[row] == 1)
            work.events.push_back(trial.entry[who[row]] + time->numbers()[row] * work.derivation->days_of_unit());
    }
  std::ranges::sort(work.events), std::ranges::sort(work.completed);
}

std::optional<LookDays::Day> LookDays::day(Look const& look, bool last) const {
  Work const& work = *work_;
  const auto observed = [&](double day) {
    return work.counts_events ? double(std::ranges::upper_bound(work.events, day) - work.events.begin()) : missing_number;
  };
  const std::vector<double>* moments = look.events ? &work.events : look.completed ? &work.completed : nullptr;
  const std::int64_t wanted = look.events ? *look.events : look.completed.value_or(0);
  if (moments && wanted <= std::int64_t(moments->size())) {
    const double day = std::ceil((*moments)[std::size_t(wanted - 1)]);
    return Day{day, observed(day)};
  }
  if (moments && !last) return {};
  return Day{work.end, observed(work.end)};
}

void cut_off(VirtualTrial const& trial, Layout const& layout, double day, VirtualTrial& cut) {
  const std::size_t n = std::size_t(std::ranges::upper_bound(trial.entry, day) - trial.entry.begin());  // in order of entry
  cut.n = n;
  const auto first = [n](auto const& from, auto& to) { to.assign(from.begin(), from.begin() + std::ptrdiff_t(n)); };
  first(trial.entry, cut.entry), first(trial.site, cut.site), first(trial.arm, cut.arm);
  first(trial.arm_received, cut.arm_received), first(trial.follow_up_end, cut.follow_up_end);
  for (std::size_t i = 0; i < n; ++i) cut.follow_up_end[i] = std::min(cut.follow_up_end[i], day - cut.entry[i]);
  const auto rows = [&](auto const& from, auto& to, std::size_t count, auto missing, auto known) {
    to.resize(count * n);
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t i = 0; i < n; ++i) to[row * n + i] = known(row, i) ? from[row * trial.n + i] : missing;
  };
  const auto took_place = [&](std::size_t visit, std::size_t i) {
    return trial.entry[i] + trial.visit_day[visit * trial.n + i] <= day;  // not of one that did not
  };
  rows(trial.factor, cut.factor, layout.factors, std::int32_t(0), [](std::size_t, std::size_t) { return true; });
  rows(trial.visit_day, cut.visit_day, layout.visits, missing_number, took_place);
  rows(trial.value, cut.value, layout.cells.size(), missing_number,
       [&](std::size_t cell, std::size_t i) { return !layout.cells[cell].visit || took_place(*layout.cells[cell].visit, i); });
  cut.entries.resize(trial.entries.size());
  for (std::size_t f = 0; f < trial.entries.size(); ++f) {
    VirtualTrial::Entries const& from = trial.entries[f];
    VirtualTrial::Entries& to = cut.entries[f];
    to.participant.clear(), to.date.clear(), to.items.resize(from.items.size());
    for (auto& item : to.items) item.clear();
    for (std::size_t row = 0; row < from.date.size(); ++row) {
      const std::uint32_t who = from.participant[row];
      if (who >= n || trial.entry[who] + from.date[row] > day) continue;
      to.participant.push_back(who), to.date.push_back(from.date[row]);
      for (std::size_t k = 0; k < from.items.size(); ++k) {
        const bool later =
            layout.forms[f].items[k]->kind == protocol::ItemKind::date && trial.entry[who] + from.items[k][row] > day;
        to.items[k].push_back(later ? missing_number : from.items[k][row]);
      }
    }
  }
  cut.screened = trial.screened, cut.failed = trial.failed;
}

}  // namespace equipoise::simulate
