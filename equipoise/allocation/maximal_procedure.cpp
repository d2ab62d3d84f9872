#include "equipoise/allocation/maximal_procedure.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/allocation/biased_coin.h"
#include "equipoise/core/text.h"

namespace equipoise::allocation {
namespace {

constexpr double most_cells = 1e6;

/// The leads as the digits of a number, the first place lowest.
std::size_t index_of(std::span<const std::int32_t> lead, int maximum) {
  std::size_t index = 0;
  for (std::size_t k = lead.size(); k-- > 0;) index = index * std::size_t(maximum + 1) + std::size_t(lead[k]);
  return index;
}

/// One more at the place. When then every place leads the last of before, all leads are one less.
void add(std::span<std::int32_t> lead, std::size_t place) {
  ++lead[place];
  if (std::ranges::find(lead, 0) == lead.end())
    for (std::int32_t& one : lead) --one;
}

/// Whether one more at the place keeps the leads within the maximum.
bool allowed(std::span<const std::int32_t> lead, std::size_t place, int maximum) {
  return lead[place] < maximum || (lead[place] == 0 && std::ranges::count(lead, 0) == 1);
}

constexpr std::array<std::pair<std::string_view, bool>, 2> ends{{{"balanced", false}, {"free", true}}};

}  // namespace

std::optional<MaximalProcedure> MaximalProcedure::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  MaximalProcedure method{.place_arm = setting.place_arm, .strata = setting.strata, .ways = {}, .words = {}};
  check_strata(setting, text);
  method.maximum_imbalance = parse_maximum_imbalance(text);
  method.free_end = text.word<bool>("ends", ends).value_or(false);
  const auto given = text.integer("participants", {.min = 1, .max = 1e6});
  if (!text.has("participants") && (setting.strata > 1 || setting.planned == 0))
    add_problem(text.problems(), text.place(), Code::missing_key,
                "the maximal procedure needs 'participants', the length of a sequence{}",
                setting.strata > 1 ? " in each stratum" : "");
  method.participants = int(given.value_or(std::min<std::int64_t>(setting.planned, 1000000)));
  const int places = int(setting.places());
  if (!method.free_end && method.participants > 0 && places > 0 && method.participants % places != 0)
    text.report_at("participants", Code::inconsistent,
                   "a sequence of {} cannot end in balance: its length must be a multiple of {}, the sum of the ratio",
                   method.participants, places)
        .hint = "with ends = \"free\" it may end at any imbalance that is allowed";
  if (!setting.caps.empty())
    text.report_at("caps", Code::inconsistent,
                   "the maximal procedure draws whole sequences, and an arm that closes on the way is in none of them");
  if (std::pow(method.maximum_imbalance + 1.0, places) * (method.participants + 1.0) > most_cells)
    text.report_at("maximum_imbalance", Code::out_of_range,
                   "sequences of {} with a maximum imbalance of {} over {} places are too many to count", method.participants,
                   method.maximum_imbalance, places);
  if (text.problems().size() > before || places == 0) return {};
  method.count_ways();
  method.words =
      fmt::format("the maximal procedure with a maximum imbalance of {} and sequences of {}{}{}", method.maximum_imbalance,
                  method.participants, method.free_end ? " with free ends" : "", within_strata(setting));
  return method;
}

void MaximalProcedure::count_ways() {
  const std::size_t places = place_arm.size();
  const auto base = std::size_t(maximum_imbalance + 1);
  std::size_t size = 1;
  for (std::size_t k = 0; k < places; ++k) size *= base;
  ways.assign(std::size_t(participants) + 1, std::vector<double>(size, 0.0));
  std::vector<std::size_t> to(size * places, size);  // where each place leads to; `size` = not allowed
  std::vector<std::int32_t> lead(places), after(places);
  for (std::size_t index = 0; index < size; ++index) {
    std::size_t rest = index;
    for (std::int32_t& one : lead) one = std::int32_t(rest % base), rest /= base;
    if (std::ranges::find(lead, 0) == lead.end()) continue;  // no state: the last place leads itself by 0
    for (std::size_t k = 0; k < places; ++k) {
      if (!allowed(lead, k, maximum_imbalance)) continue;
      after = lead;
      add(after, k);
      to[index * places + k] = index_of(after, maximum_imbalance);
    }
    if (free_end || index == 0) ways.back()[index] = 1;
  }
  for (std::size_t n = ways.size() - 1; n-- > 0;) {
    double most = 0;
    for (std::size_t index = 0; index < size; ++index) {
      for (std::size_t k = 0; k < places; ++k)
        if (const std::size_t next = to[index * places + k]; next < size) ways[n][index] += ways[n + 1][next];
      most = std::max(most, ways[n][index]);
    }
    const double scale = most > 0 ? std::ldexp(1.0, -std::ilogb(most)) : 1.0;  // a power of two: whole numbers stay exact
    for (double& one : ways[n]) one *= scale;
  }
}

std::int32_t MaximalProcedure::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const std::size_t places = place_arm.size();
  const Cells cells = state.subspan(who.stratum * (1 + places), 1 + places), lead = cells.subspan(1);
  if (cells[0] == participants) std::ranges::fill(cells, 0);
  std::array<double, most_places> weight{};
  double total = 0;
  std::size_t unit = 1;  // of the place's digit
  std::size_t last = 0;
  const std::size_t here = index_of(lead, maximum_imbalance);
  const auto zeros = std::ranges::count(lead, 0);
  std::size_t ones = 0;  // the number whose digits are all 1
  for (std::size_t k = 0, u = 1; k < places; ++k, u *= std::size_t(maximum_imbalance + 1)) ones += u;
  for (std::size_t k = 0; k < places; ++k, unit *= std::size_t(maximum_imbalance + 1)) {
    const bool alone = lead[k] == 0 && zeros == 1;
    if (!alone && lead[k] >= maximum_imbalance) continue;
    const std::size_t after = here + unit - (alone ? ones : 0);
    weight[k] = ways[std::size_t(cells[0]) + 1][after];
    total += weight[k];
    if (weight[k] > 0) last = k;
  }
  expects(total > 0, "a sequence can always go on");
  double ticket = draw.unit(0) * total;
  std::size_t place = 0;
  while (place < last && !(ticket < weight[place])) ticket -= weight[place++];
  ++cells[0];
  add(lead, place);
  return place_arm[place];
}

}  // namespace equipoise::allocation
