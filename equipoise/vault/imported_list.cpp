#include "equipoise/vault/imported_list.h"

#include <algorithm>
#include <array>
#include <set>

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"
#include "equipoise/vault/streams.h"

namespace equipoise::vault {
namespace {

constexpr std::size_t most_arms = 255;

struct Packed {
  struct Stream {
    std::string stream{}, arms{};
    static void fields(auto& self, auto&& f) { f("stream", self.stream), f("arms", self.arms); }
  };
  std::string trial{}, environment{};
  std::vector<std::string> arms{};
  std::vector<Stream> streams{};
  static void fields(auto& self, auto&& f) {
    f("trial", self.trial), f("environment", self.environment), f("arms", self.arms), f("streams", self.streams);
  }
};

/// The three cells of a line; nothing when it has another shape.
std::optional<std::array<std::string, 3>> cells_of(std::string_view line) {
  std::array<std::string, 3> cells;
  std::size_t cell = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') cells[cell] += '"', ++i;
    else if (line[i] == '"') quoted = !quoted;
    else if (line[i] != ',' || quoted) cells[cell] += line[i];
    else if (++cell == 3) return {};
  }
  return cell == 2 && !quoted ? std::optional(cells) : std::nullopt;
}

}  // namespace

Checked<ImportedList> parse_list(std::string_view csv, std::string_view file, std::string trial, std::string environment) {
  Problems problems;
  ImportedList list{.trial = std::move(trial), .environment = std::move(environment), .streams = {}};
  Place place{.file = std::string(file), .line = 0, .column = 0};
  std::set<std::string> finished;
  const auto report = [&]<class... A>(Code code, fmt::format_string<A...> text, A&&... values) {
    if (problems.size() < 100) add_problem(problems, place, code, text, std::forward<A>(values)...);
  };
  if (!is_utf8(csv)) {
    report(Code::syntax, "the list is not UTF-8");
    return fail(std::move(problems));
  }
  while (!csv.empty()) {
    ++place.line;
    const auto end = csv.find('\n');
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (place.line == 1) {
      if (line != "stream,position,arm") report(Code::syntax, "a list begins with the line 'stream,position,arm'");
      continue;
    }
    const auto cells = cells_of(line);
    if (!cells) {
      report(Code::syntax, "a line of a list has a stream, a position and an arm");
      continue;
    }
    auto const& [stream, position, arm] = *cells;
    if (list.streams.empty() || list.streams.back().stream != stream) {
      if (!list.streams.empty()) finished.insert(list.streams.back().stream);
      if (finished.contains(stream)) report(Code::duplicate, "the stream '{}' goes on after another one", stream);
      list.streams.push_back({.stream = stream, .arms = {}});
    }
    if (stream.empty() || arm.empty()) report(Code::syntax, "a stream and an arm have names");
    if (const std::size_t wanted = list.streams.back().arms.size() + 1; position != std::to_string(wanted))
      report(Code::inconsistent, "position {} of the stream '{}' is expected here, and '{}' stands here", wanted, stream,
             position);
    list.streams.back().arms.push_back(arm);
  }
  if (list.streams.empty() && problems.empty()) report(Code::no_data, "the list has no place");
  std::set<std::string_view> arms;
  for (allocation::ListedStream const& stream : list.streams) arms.insert(stream.arms.begin(), stream.arms.end());
  if (arms.size() > most_arms)
    report(Code::out_of_range, "a list has at most {} arms, and this one has {}", most_arms, arms.size());
  if (!problems.empty()) return fail(std::move(problems));
  return list;
}

Problems check_list(ImportedList const& list, allocation::Rule const& rule) {
  Problems problems;
  if (rule.balances_margins())
    add_problem(problems, {}, Code::inconsistent, "a list cannot serve a minimisation, whose arms depend on who came before");
  std::set<std::string> known, seen;
  for (std::size_t stream = 0; problems.empty() && stream < streams(rule); ++stream)
    known.insert(stream_of(rule, levels_of(rule, stream)));
  std::set<std::string> unknown_arms;
  std::size_t places = 0;
  for (allocation::ListedStream const& stream : list.streams) {
    if (!known.empty() && !known.contains(stream.stream))
      add_problem(problems, {}, Code::unresolved, "the list has a stream '{}', and the protocol has none", stream.stream);
    if (!seen.insert(stream.stream).second)
      add_problem(problems, {}, Code::duplicate, "the list has the stream '{}' twice", stream.stream);
    for (std::string const& arm : stream.arms)
      if (std::ranges::find(rule.setting().arms, arm) == rule.setting().arms.end() && unknown_arms.insert(arm).second)
        add_problem(problems, {}, Code::unresolved, "the list has an arm '{}', and the protocol has none", arm);
    places += stream.arms.size();
  }
  if (places == 0) add_problem(problems, {}, Code::no_data, "the list has no place");
  if (places > std::size_t(most_leaves))
    add_problem(problems, {}, Code::out_of_range, "a list has at most {} places", most_leaves);
  return problems;
}

std::string packed(ImportedList const& list) {
  Packed whole{.trial = list.trial, .environment = list.environment, .arms = {}, .streams = {}};
  std::set<std::string> arms;
  for (allocation::ListedStream const& stream : list.streams) arms.insert(stream.arms.begin(), stream.arms.end());
  whole.arms.assign(arms.begin(), arms.end());
  expects(whole.arms.size() <= most_arms, "a list has at most 255 arms");
  for (allocation::ListedStream const& stream : list.streams) {
    std::vector<std::uint8_t> numbers;
    for (std::string const& arm : stream.arms) numbers.push_back(std::uint8_t(std::distance(arms.begin(), arms.find(arm))));
    whole.streams.push_back({.stream = stream.stream, .arms = hex(numbers)});
  }
  return encoded(whole);
}

Expected<ImportedList> unpacked(std::string_view text) {
  const auto whole = decoded<Packed>(text);
  if (!whole) return tl::unexpected(whole.error());
  ImportedList list{.trial = whole->trial, .environment = whole->environment, .streams = {}};
  for (Packed::Stream const& stream : whole->streams) {
    allocation::ListedStream& made = list.streams.emplace_back();
    made.stream = stream.stream;
    const auto numbers = from_hex(stream.arms);
    for (const char number : numbers.value_or(std::string(1, char(most_arms)))) {
      const auto arm = std::size_t(static_cast<unsigned char>(number));
      if (arm >= whole->arms.size()) return fail(Code::syntax, "the list does not hold what it says");
      made.arms.push_back(whole->arms[arm]);
    }
  }
  return list;
}

Expected<std::string> seal_list(ImportedList const& list, Lock const& lock, Chance& chance) {
  std::string text = packed(list);
  SecretBytes content(text.size());
  std::ranges::copy(text, content.bytes().begin());
  wipe(text);
  return seal_box(BoxKind::list, content, lock, chance);
}

Expected<ImportedList> open_list(std::string_view bytes, Lock const& lock, std::string const& name) {
  const auto content = open_box(BoxKind::list, bytes, lock, name);
  if (!content) return tl::unexpected(content.error());
  return unpacked(content->text());
}

ArmsByStream arms_by_stream(std::vector<allocation::ListedStream> const& streams, allocation::Rule const& rule) {
  ArmsByStream arms;
  for (allocation::ListedStream const& stream : streams)
    for (std::string const& arm : stream.arms) {
      const auto found = std::ranges::find(rule.setting().arms, arm);
      expects(found != rule.setting().arms.end(), "a list is checked before it is used");
      arms[stream.stream].push_back(std::int32_t(found - rule.setting().arms.begin()));
    }
  return arms;
}

ListedArms in_order(ArmsByStream const& arms, allocation::Rule const& rule) {
  ListedArms listed(streams(rule));
  for (std::size_t stream = 0; stream < listed.size(); ++stream)
    if (const auto found = arms.find(stream_of(rule, levels_of(rule, stream))); found != arms.end())
      listed[stream] = found->second;
  return listed;
}

}  // namespace equipoise::vault
