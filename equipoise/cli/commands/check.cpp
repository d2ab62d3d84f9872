#include <algorithm>
#include <filesystem>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "equipoise/cli/commands.h"
#include "equipoise/cli/files.h"
#include "equipoise/cli/fixes.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/core/text.h"
#include "equipoise/data/queries.h"
#include "equipoise/protocol/describe.h"
#include "equipoise/protocol/load.h"
#include "equipoise/report/renderers.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/study/study.h"

namespace equipoise::cli {
namespace {

std::string as_json(study::Study const& study) {
  nlohmann::ordered_json unavailable = nlohmann::json::array();
  for (study::Unavailable const& one : study.unavailable)
    unavailable.push_back({{"method", one.method}, {"user", one.user}, {"line", one.place.line}});
  nlohmann::ordered_json whole{{"trial", study.protocol.trial.id},
                               {"version", study.protocol.trial.version},
                               {"digest", study.protocol.digest},
                               {"problems", nlohmann::json::array()},
                               {"warnings", nlohmann::ordered_json::parse(json_list(study.warnings))},
                               {"not_available", std::move(unavailable)},
                               {"not_used", study.not_used}};
  return whole.dump(2);
}

/// The problems of the study, if it has any, and those of its scenarios, in file order; published models that this build does not
/// carry join the study's methods. Scenarios of a protocol that is broken itself are not looked at.
Problems check_worlds(std::string_view bytes, std::string const& file, Checked<study::Study>& study) {
  Problems problems;
  std::vector<study::Unavailable> unavailable;
  if (study) {
    simulate::check_scenarios(study->protocol, problems, unavailable);
    study->unavailable.insert(study->unavailable.end(), unavailable.begin(), unavailable.end());
    std::ranges::stable_sort(study->unavailable, {},
                             [](study::Unavailable const& one) { return std::pair(one.place.line, one.place.column); });
  } else {
    problems = study.error();
    const protocol::Loaded loaded = protocol::load_all(bytes, file);
    if (loaded.readable && loaded.problems.empty()) simulate::check_scenarios(loaded.protocol, problems, unavailable);
  }
  sort_in_file_order(problems);
  return problems;
}

/// The problems with what to write instead, in words or, with --json, as `fix` of each.
void fail_with_fixes(Console& console, std::string_view bytes, Problems problems) {
  const std::vector<Fix> made = fixes(bytes, problems);
  if (console.json) {
    auto list = nlohmann::ordered_json::parse(json_list(problems));
    for (std::size_t i = 0; i < list.size(); ++i) {
      list[i]["fix"] = {{"say", made[i].say}};
      if (!made[i].paste.empty()) list[i]["fix"]["paste"] = made[i].paste;
    }
    console.set_status(exit_status(problems));
    return console.answer(
        nlohmann::ordered_json{{"problems", list}}.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  for (std::size_t i = 0; i < problems.size(); ++i) {
    std::string& last = problems[i].hint.empty() ? problems[i].message : problems[i].hint;
    last += "\n  fix: " + made[i].say;
    std::string_view rest = made[i].paste;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      last += "\n    " + std::string(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  console.fail(problems);
}

/// Where a query's value belongs: " at 'w4'", " of 2024-03-01", or nothing.
std::string place_of(data::Query const& query) {
  if (!query.visit.empty()) return fmt::format(" at '{}'", query.visit);
  return query.date.empty() ? std::string() : " of " + query.date;
}

/// A line for each problem of the data, by where it is in the file, and for each query, by whose value it is.
std::string issue_listing(Problems const& problems, std::vector<data::Query> const& queries) {
  std::string out =
      report::csv_line({"kind", "file", "row", "column", "participant", "visit", "date", "item", "code", "issue", "hint"});
  for (Error const& one : problems)
    out += report::csv_line({"problem", one.place.file, one.place.line > 0 ? std::to_string(one.place.line) : "", one.place.field,
                             "", "", "", "", std::string(card(one.code).name), one.message, one.hint});
  for (data::Query const& one : queries)
    out += report::csv_line({"query", "", "", "", one.participant, one.visit, one.date, one.item, "", one.message, ""});
  return out;
}

/// The data of the protocol, read and checked; with `listing`, their problems as a file too, also when there are none.
void check_data(Console& console, study::Study const& study, std::string const& protocol, std::string const& file,
                std::string const& listing) {
  constexpr std::size_t told = 20;
  std::vector<std::string> read{protocol, file};
  if (study.protocol.source)
    for (protocol::SourceJoin const& join : study.protocol.source->joins) read.push_back(joined_path(file, join));
  for (std::string const& one : read)
    if (std::error_code error; !listing.empty() && std::filesystem::equivalent(listing, one, error))
      return console.fail(
          Error{Code::usage, fmt::format("--issues would replace '{}', which is read", one), {}, "name another file"});
  const auto data = read_data(study.protocol, protocol, file, listing.empty() ? told : std::numeric_limits<std::size_t>::max());
  const Problems problems = data ? Problems{} : data.error();
  const std::vector<data::Query> queries = data ? data::queries_of(study.protocol, data->records) : std::vector<data::Query>{};
  if (!listing.empty())
    if (const auto done = write_whole({{listing, issue_listing(problems, queries)}}); !done) return console.fail(done.error());
  if (!problems.empty()) {
    Problems first = problems;
    if (!listing.empty() && !console.json && first.size() > told) {
      first.resize(told);
      add_problem(first, {}, first.back().code, "and {} more: {} lists them", problems.size() - told, listing);
    }
    return console.fail(first);
  }
  nlohmann::ordered_json listed = nlohmann::json::array();
  for (data::Query const& one : queries)
    listed.push_back(
        {{"participant", one.participant}, {"visit", one.visit}, {"date", one.date}, {"item", one.item}, {"issue", one.message}});
  console.answer(nlohmann::ordered_json{{"data", data->file},
                                        {"sha256", data->digest},
                                        {"participants", data->records.participants.size()},
                                        {"problems", nlohmann::json::array()},
                                        {"queries", std::move(listed)}}
                     .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  for (std::string const& note : data->records.notes) console.say("note: " + note + "\n");
  for (std::size_t i = 0; i < std::min(told, queries.size()); ++i)
    console.say(fmt::format("query: participant '{}', '{}'{}: {}\n", queries[i].participant, queries[i].item,
                            place_of(queries[i]), queries[i].message));
  if (queries.size() > told) console.say(fmt::format("and {} more queries: --issues FILE lists all\n", queries.size() - told));
  console.say(fmt::format("No problems in {}: {} participants, {} quer{}\n", data->file, data->records.participants.size(),
                          queries.size(), queries.size() == 1 ? "y" : "ies"));
}

}  // namespace

void add_check(CLI::App& app, Console& console) {
  struct Arguments {
    std::string protocol, language = "en", data, issues;
    bool canonical = false, fix_hints = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("check", "Check a protocol file: every problem at once, or the trial in plain sentences");
  command->add_option("protocol", arguments->protocol, "Protocol file (TOML), '-' for standard input")->required();
  command->add_option("--language", arguments->language, "Language of labels, where the protocol has it")->capture_default_str();
  auto* canonical =
      command->add_flag("--canonical", arguments->canonical, "Print the canonical form whose SHA-256 is the digest");
  command->add_flag("--fix-hints", arguments->fix_hints, "Say of each problem what to write instead, with TOML to paste");
  auto* data =
      command->add_option("--data", arguments->data, "Check this data file against the protocol too: every problem at once");
  command
      ->add_option("--issues", arguments->issues,
                   "Write the problems of the data, and queries (outside usual ranges, required and missing), to this CSV file")
      ->needs(data);
  data->excludes(canonical);
  command->callback([arguments, &console] {
    const auto bytes = read_file(arguments->protocol, protocol::longest_protocol + 1);
    if (!bytes) return console.fail(bytes.error());
    auto study = study::load(*bytes, arguments->protocol);
    if (Problems problems = check_worlds(*bytes, arguments->protocol, study); !problems.empty())
      return arguments->fix_hints ? fail_with_fixes(console, *bytes, std::move(problems)) : console.fail(problems);
    protocol::Protocol const& protocol = study->protocol;
    if (!arguments->data.empty()) return check_data(console, *study, arguments->protocol, arguments->data, arguments->issues);
    if (arguments->canonical) {
      console.answer(
          fmt::format("{{\"digest\": {}, \"canonical\": {}}}", json_string(protocol.digest), json_string(protocol.canonical)));
      return console.say(protocol.canonical + "\n");
    }
    console.answer(as_json(*study));
    console.say(protocol::describe(protocol, arguments->language));
    const std::string schedule = protocol::schedule_of_activities(protocol, arguments->language);
    if (!schedule.empty()) console.say("\nSchedule of activities\n" + schedule);
    if (!study->unavailable.empty()) console.say("\n" + study::to_text(study->unavailable));
    if (!study->not_used.empty())
      console.say(fmt::format("\nRead and kept, not used by this build: {}\n", join(study->not_used, ", ")));
    console.caution(study->warnings);
    console.say(fmt::format("\nNo problems. Digest {}\n", protocol.digest));
  });
}

}  // namespace equipoise::cli
