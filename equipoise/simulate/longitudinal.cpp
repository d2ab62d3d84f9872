#include "equipoise/simulate/longitudinal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/core/text.h"
#include "equipoise/numerics/exponential.h"
#include "equipoise/simulate/outcome_items.h"
#include "equipoise/simulate/schedule.h"

namespace equipoise::simulate {
namespace {

constexpr double days_a_year = 365.25;
constexpr Limits not_negative{.min = 0, .max = 1e12};
constexpr Limits any_size{.min = -1e12, .max = 1e12};

/// SD of the logarithm of a log-normal variable with this coefficient of variation.
double log_sd(double cv) { return std::sqrt(std::log1p(cv * cv)); }

void read_level(Section& text, Marker& marker) {
  constexpr Limits positive{.min = 0, .max = 1e12, .min_excluded = true};
  const Node* value = text.need("level");
  if (!value) return;
  if (!value->table()) {  // everyone's
    const auto level = text.number("level", marker.log_scale ? positive : any_size);
    if (level) marker.centre = marker.log_scale ? std::log(*level) : *level;
    return;
  }
  auto level = text.table("level", "the level of " + text.name());
  constexpr Limits cv{.min = 0, .max = 10};
  if (marker.log_scale && level->has("median")) {
    marker.centre = std::log(level->need_number("median", positive).value_or(1));
    if (level->has("log_sd")) marker.spread = level->number("log_sd", cv).value_or(0);
    else marker.spread = log_sd(level->need_number("cv", cv).value_or(0));
  } else if (level->has("median")) {
    level->report_at("median", Code::inconsistent, "a level of scale \"linear\" is given by mean and sd, and {} gives a median",
                     level->name());
    for (std::string_view key : {"median", "cv", "log_sd"}) level->allow(key);
  } else {
    const double mean = level->need_number("mean", marker.log_scale ? positive : any_size).value_or(1);
    const double sd = level->need_number("sd", not_negative).value_or(0);
    marker.centre = mean, marker.spread = sd;
    if (marker.log_scale) {  // the log-normal with these two moments
      marker.spread = log_sd(sd / mean);
      marker.centre = std::log(mean) - marker.spread * marker.spread / 2;
    }
  }
  level->finish();
}

void read_slope(Section& text, Marker& marker) {
  const Node* value = text.node().find("slope_per_year");
  if (!value || !value->table()) {
    marker.slope_mean = text.number("slope_per_year", any_size).value_or(0);
    return;
  }
  auto slope = text.table("slope_per_year", "the slope of " + text.name());
  marker.slope_mean = slope->number("mean", any_size).value_or(0);
  marker.slope_sd = slope->number("sd", not_negative).value_or(0);
  marker.slope_level_correlation =
      slope->number("level_correlation", {.min = -1, .max = 1, .min_excluded = true, .max_excluded = true}).value_or(0);
  slope->finish();
}

void read_noise(Section& text, Marker& marker) {
  const std::vector<std::string> keys =
      marker.log_scale ? std::vector<std::string>{"noise_cv", "noise_log_sd"} : std::vector<std::string>{"noise_sd"};
  std::vector<std::string> given;
  for (std::string_view key : {"noise_cv", "noise_log_sd", "noise_sd"})
    if (text.has(key)) given.emplace_back(key);
  for (std::string const& key : given) text.allow(key);
  if (given.size() > 1) {
    text.report_at(given[1], Code::inconsistent, "{} gives its noise twice, as {}", text.name(), join(given, " and "));
  } else if (given.empty()) {
    add_problem(text.problems(), text.place(), Code::missing_key, "{} needs its measurement noise: {} (0 for none)", text.name(),
                one_of(keys));
  } else if (std::ranges::find(keys, given[0]) == keys.end()) {
    text.report_at(given[0], Code::inconsistent, "'{}' in {} does not go with scale \"{}\"", given[0], text.name(),
                   marker.log_scale ? "log" : "linear")
        .hint = fmt::format("its noise is {}", one_of(keys));
  } else {
    const double size = text.number(given[0], {.min = 0, .max = given[0] == "noise_sd" ? 1e12 : 10.0}).value_or(0);
    marker.noise_sd = given[0] == "noise_cv" ? log_sd(size) : size;
  }
}

Marker read_marker(protocol::Protocol const& protocol, protocol::Item const& item, Section text,
                   std::vector<std::string> const& visits) {
  Marker marker{.item = &item, .effect = Effect(protocol.arms.size()), .between_visits = {}};
  constexpr std::pair<std::string_view, bool> scales[] = {{"log", true}, {"linear", false}};
  text.need("scale");
  marker.log_scale = text.word<bool>("scale", scales).value_or(true);
  read_level(text, marker);
  read_slope(text, marker);
  read_noise(text, marker);
  marker.site_sd = text.number("site_sd", not_negative).value_or(0);
  marker.floor = text.number("floor", marker.log_scale ? Limits{.min = 0, .max = 1e12, .min_excluded = true} : any_size)
                     .value_or(marker.log_scale ? 1.0 : -std::numeric_limits<double>::infinity());
  if (auto between = text.table("noise_covariance", "the noise of " + text.name()))
    marker.between_visits = NoiseCovariance::parse(*between, visits);
  text.finish();
  return marker;
}

}  // namespace

std::optional<Longitudinal> Longitudinal::parse(protocol::Protocol const& protocol, Section& text) {
  const std::size_t before = text.problems().size();
  Longitudinal model;
  std::vector<Place> noise_places;
  for (Node::Member const& member : *text.node().table()) {
    protocol::Item const* item = protocol.item(member.key);
    if (!item || (item->kind != protocol::ItemKind::number && item->kind != protocol::ItemKind::integer)) continue;
    std::vector<std::string> visits;
    for (std::size_t v : visits_of(protocol, *item)) visits.push_back(protocol.visits[v].id);
    if (visits.empty()) {
      text.report_at(member.key, Code::unresolved, "the marker '{}' of {} is collected at no visit", member.key, text.name());
      text.allow(member.key);
      continue;
    }
    if (auto table = text.table(member.key, fmt::format("'{}' of {}", member.key, text.name()))) {
      model.markers_.push_back(read_marker(protocol, *item, *table, visits));
      const Node* between = member.value.find("noise_covariance");
      noise_places.push_back(between ? between->place() : member.place);
    }
  }
  if (model.markers_.empty() && text.problems().size() == before)
    add_problem(
        text.problems(), text.place(), Code::missing_key,
        "{} simulates no marker: give a number item of a visit, such as cd4 = {{ level = ..., noise_cv = ..., scale = \"log\" }}",
        text.name());
  std::vector<std::string> names;
  for (Marker const& marker : model.markers_) names.push_back(marker.item->id);

  if (const Node* site = text.node().find("site_sd"); site && site->table()) {
    auto table = text.table("site_sd", "'site_sd' of " + text.name());
    for (Marker& marker : model.markers_) marker.site_sd = table->number(marker.item->id, not_negative).value_or(marker.site_sd);
    table->finish();
  } else if (const auto sd = text.number("site_sd", not_negative); sd && !model.markers_.empty()) {
    model.markers_.front().site_sd = *sd;
  }

  if (auto effects = text.table("effect", "the effect of " + text.name())) {
    for (Node::Member const& member : *effects->node().table()) {
      effects->allow(member.key);
      const auto marker = std::ranges::find(names, member.key);
      if (marker == names.end()) {
        Error& error = effects->report_at(member.key, Code::unresolved, "{} names '{}', which it does not simulate",
                                          effects->name(), member.key);
        if (const auto near = nearest(member.key, names)) error.hint = fmt::format("did you mean '{}'?", *near);
      } else if (auto table = effects->table(member.key, fmt::format("the effect on '{}' of {}", member.key, text.name()))) {
        model.markers_[std::size_t(marker - names.begin())].effect = Effect::parse(protocol, *table);
      }
    }
  }

  // Correlations: of levels and slopes together, of the noise between markers, and between visits.
  const std::size_t k = names.size();
  std::optional<std::vector<double>> levels, slopes, noise;
  Place correlation_place = text.place();
  const Node none(Node::Table{});
  auto given = text.table("correlation", "the correlation of " + text.name());
  if (given) correlation_place = given->place();
  Section correlation = given ? *given : Section(none, "correlation", text.problems());
  levels = read_correlation(correlation, "levels", names);
  slopes = read_correlation(correlation, "slopes", names);
  noise = read_correlation(correlation, "noise", names);
  if (given) correlation.finish();
  if (levels && slopes && noise && k > 0) {
    std::vector<double> joint(4 * k * k, 0.0);
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) {
        joint[i * 2 * k + j] = (*levels)[i * k + j];
        joint[(k + i) * 2 * k + k + j] = (*slopes)[i * k + j];
      }
      joint[i * 2 * k + k + i] = joint[(k + i) * 2 * k + i] = model.markers_[i].slope_level_correlation;
    }
    const auto refuse = [&](Place const& place, std::string const& what, std::string const& at) {
      add_problem(text.problems(), place, Code::inconsistent,
                  "{} in {} is not positive definite: no variables have it. It fails at {}, given those before", what,
                  text.name(), at);
    };
    const auto place = [&](std::string_view key) { return given ? given->place_of(key) : correlation_place; };
    Factored of_noise = factor(*noise, k), of_effects = factor(joint, 2 * k);
    if (of_noise.fails_at) refuse(place("noise"), "the correlation 'noise'", fmt::format("'{}'", names[*of_noise.fails_at]));
    if (of_effects.fails_at && *of_effects.fails_at < k)
      refuse(place("levels"), "the correlation 'levels'", fmt::format("'{}'", names[*of_effects.fails_at]));
    else if (of_effects.fails_at)
      refuse(place("slopes"), "the correlation of levels and slopes",
             fmt::format("the slope of '{}'", names[*of_effects.fails_at - k]));
    model.noise_ = std::move(of_noise.factor), model.effects_ = std::move(of_effects.factor);
    for (std::size_t m = 0; m < k; ++m) {
      Triangle l;
      if (model.markers_[m].between_visits.family != NoiseCovariance::Family::independent) {
        const auto visits = visits_of(protocol, *model.markers_[m].item);
        std::vector<double> days;
        for (std::size_t v : visits) days.push_back(protocol.visits[v].day.offset());
        Factored between = factor(model.markers_[m].between_visits.matrix(days), days.size());
        if (between.fails_at)
          refuse(noise_places[m], fmt::format("the 'noise_covariance' of '{}'", names[m]),
                 fmt::format("the visit '{}'", protocol.visits[visits[*between.fails_at]].id));
        l = std::move(between.factor);
      }
      model.between_visits_.push_back(std::move(l));
    }
  }
  if (text.problems().size() != before) return {};
  return model;
}

void Longitudinal::lay_out(protocol::Protocol const& protocol, Layout& layout) {
  const auto [first, last] = day_range(protocol);
  first_day_ = first;
  sites_.resize(random::padded(std::max<std::size_t>(1, protocol.sites.size())));
  std::iota(sites_.begin(), sites_.end(), 0u);
  for (Marker const& marker : markers_) {
    std::vector<double> course;
    for (int day = first; day <= last; ++day) course.push_back(marker.effect.course(day));
    courses_.push_back(std::move(course));
    visits_.push_back(visits_of(protocol, *marker.item));
    cells_.emplace_back(protocol.visits.size(), -1);
    for (std::size_t v : visits_.back()) {
      cells_.back()[v] = std::int32_t(layout.cells.size());
      layout.cells.push_back({marker.item, v});
    }
  }
}

std::optional<std::size_t> Longitudinal::cell(std::size_t marker, std::size_t visit) const {
  const std::int32_t at = cells_[marker][visit];
  if (at < 0) return {};
  return std::size_t(at);
}

/// Standard normals, correlated between markers and between visits: row marker * visits + visit, of those that are needed.
void Longitudinal::innovations(People const& people, Draws const& draws, Selection const& wanted, Arena& arena,
                               double* noise) const {
  const std::size_t k = markers_.size(), visits = cells_[0].size(), stride = people.stride;
  std::uint8_t const* needed = wanted.parts.data();
  const random::Batch batch = draws.of(random::Purpose::noise);
  double* beyond = arena.take(stride);  // of the visit behind the last
  for (std::size_t v = 0; v < visits; v += 2) {
    const bool pair = v + 1 < visits;
    for (std::size_t m = 0; m < k; ++m)
      if (needed[m * visits + v] || (pair && needed[m * visits + v + 1])) {
        double* here = noise + (m * visits + v) * stride;
        batch.normals(std::uint32_t(v / 2), std::uint32_t(m), people.n, people.who, here, pair ? here + stride : beyond);
      }
    // From the last marker back, as each row mixes those before it.
    for (std::size_t w = v; w < std::min(v + 2, visits); ++w)
      for (std::size_t m = k; m-- > 1;) {
        if (!needed[m * visits + w]) continue;
        double* row = noise + (m * visits + w) * stride;
        const double own = noise_[m * (m + 1) / 2 + m];
        if (own != 1)
          for (std::size_t i = 0; i < stride; ++i) row[i] *= own;
        for (std::size_t j = 0; j < m; ++j)
          if (const double share = noise_[m * (m + 1) / 2 + j]; share != 0) {
            double const* other = noise + (j * visits + w) * stride;
            for (std::size_t i = 0; i < stride; ++i) row[i] += share * other[i];
          }
      }
  }
  for (std::size_t m = 0; m < k; ++m) {
    Triangle const& l = between_visits_[m];
    if (l.empty()) continue;
    for (std::size_t a = visits_[m].size(); a-- > 0;) {
      if (!needed[m * visits + visits_[m][a]]) continue;
      double* row = noise + (m * visits + visits_[m][a]) * stride;
      for (std::size_t i = 0; i < stride; ++i) row[i] *= l[a * (a + 1) / 2 + a];
      for (std::size_t b = 0; b < a; ++b) {
        double const* other = noise + (m * visits + visits_[m][b]) * stride;
        const double share = l[a * (a + 1) / 2 + b];
        for (std::size_t i = 0; i < stride; ++i) row[i] += share * other[i];
      }
    }
  }
}

/// Parts: a flag for each innovation (marker * visits + visit), then one for the level and slope of each marker, then one for
/// each marker that is wanted. An innovation needs those of the visits before when they are correlated, and those of markers
/// before.
Selection Longitudinal::select(std::vector<std::uint8_t> cells) const {
  const std::size_t k = markers_.size(), visits = cells_[0].size();
  Selection selection{std::move(cells), std::vector<std::uint8_t>(k * visits + 2 * k, 0)};
  std::uint8_t *needed = selection.parts.data(), *drawn = needed + k * visits, *wanted = drawn + k;
  for (std::size_t m = k; m-- > 0;) {
    bool later = false;
    for (std::size_t a = visits_[m].size(); a-- > 0;) {
      const std::size_t v = visits_[m][a];
      const bool own = selection.cells[std::size_t(cells_[m][v])];
      wanted[m] |= own;
      needed[m * visits + v] |= own || (later && !between_visits_[m].empty());
      later |= needed[m * visits + v] != 0;
    }
    for (std::size_t v = 0; v < visits; ++v)
      for (std::size_t j = 0; j < m; ++j) needed[j * visits + v] |= needed[m * visits + v] && noise_[m * (m + 1) / 2 + j] != 0;
    if (!wanted[m]) continue;
    for (std::size_t row : {m, k + m})
      for (std::size_t j = 0; j <= row; ++j) drawn[j % k] |= effects_[row * (row + 1) / 2 + j] != 0;
  }
  return selection;
}

void Longitudinal::fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  using numerics::Lanes;
  const std::size_t k = markers_.size(), n = people.n, stride = people.stride, visits = cells_[0].size();
  std::uint8_t const *drawn = wanted.parts.data() + k * visits, *wants = drawn + k;
  double* noise = arena.take(k * visits * stride);
  innovations(people, draws, wanted, arena, noise);

  double* z = arena.take(2 * k * stride);  // levels, then slopes
  for (std::size_t m = 0; m < k; ++m)
    if (drawn[m])
      draws.of(random::Purpose::participant).normals(0, std::uint32_t(m), n, people.who, z + m * stride, z + (k + m) * stride);
  double* level = arena.take(stride);
  double* slope = arena.take(stride);
  double* full = arena.take(stride);
  double* of_site = arena.take(2 * sites_.size());
  const auto mixed = [&](std::size_t row, double* out) {
    const std::size_t start = row * (row + 1) / 2;
    for (std::size_t i = 0; i < stride; ++i) out[i] = effects_[start + row] * z[row * stride + i];
    for (std::size_t j = 0; j < row; ++j)
      if (const double share = effects_[start + j]; share != 0)
        for (std::size_t i = 0; i < stride; ++i) out[i] += share * z[j * stride + i];
  };
  for (std::size_t m = 0; m < k; ++m) {
    if (!wants[m]) continue;
    Marker const& marker = markers_[m];
    mixed(m, level);
    mixed(k + m, slope);
    for (std::size_t i = 0; i < stride; i += numerics::lanes) {
      Lanes x = marker.centre + marker.spread * numerics::load(level + i);
      if (marker.log_scale) x = numerics::exponential(x);
      numerics::store(level + i, x);
      numerics::store(slope + i, (marker.slope_mean + marker.slope_sd * numerics::load(slope + i)) * (1 / days_a_year));
    }
    if (marker.site_sd > 0) {
      draws.of(random::Purpose::site_effect)
          .normals(0, std::uint32_t(m), sites_.size(), sites_.data(), of_site, of_site + sites_.size());
      for (std::size_t i = 0; i < n; ++i) level[i] += marker.site_sd * of_site[people.site[i]];
    }
    const bool treated = people.arm && !marker.effect.none();
    if (treated)
      for (std::size_t i = 0; i < n; ++i) full[i] = marker.effect.full()[std::size_t(people.arm[i])];
    for (std::size_t v : visits_[m]) {
      if (!wanted.cells[std::size_t(cells_[m][v])]) continue;
      double* out = values + std::size_t(cells_[m][v]) * stride;
      double const* day = people.day + v * stride;
      for (std::size_t i = 0; i < stride; ++i) out[i] = level[i] + slope[i] * day[i];
      if (treated) {
        double const* course = courses_[m].data() - first_day_;
        for (std::size_t i = 0; i < n; ++i) out[i] += full[i] * course[int(day[i])];
      }
      for (std::size_t i = 0; i < stride; ++i) out[i] = out[i] > marker.floor ? out[i] : marker.floor;
      double const* e = noise + (m * visits + v) * stride;
      if (marker.noise_sd == 0) continue;
      if (marker.log_scale)
        for (std::size_t i = 0; i < stride; i += numerics::lanes)
          numerics::store(out + i, numerics::load(out + i) * numerics::exponential(marker.noise_sd * numerics::load(e + i)));
      else
        for (std::size_t i = 0; i < stride; ++i) out[i] += marker.noise_sd * e[i];
    }
  }
}

}  // namespace equipoise::simulate
