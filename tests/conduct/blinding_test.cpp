// Blinding as non-interference: two worlds that differ only by an exchange of arms give every blinded role the same bytes.

#include <algorithm>
#include <array>

#include "equipoise/conduct/roles.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

/// What blinded people got of a trial, in order: answers, views, extracts, log lines; and the log itself.
struct Seen {
  std::vector<std::string> bytes;
  std::vector<std::string> unblinded;  ///< what the others got: it must differ, or the worlds are the same world
};

/// A trial in which everything happens that could tell an arm: allocations at three sites, kits, doses by weight, stock that runs out,
/// refusals, an unblinding, extracts of every role.
/// leak  planted: what a careless program might do
enum class Leak { none, kit_order, file_name, log_line, extra_event };
Seen run(std::vector<std::int32_t> const& exchanged, std::string const& seed, Leak leak = Leak::none) {
  Options options;
  options.seed = seed, options.exchanged = exchanged;
  Trial trial(options);
  Seen seen;
  const auto blinded = [&](std::string const& user) {
    for (std::string_view role : {"preparer", "unblinded_statistician", "committee"})
      if (user.starts_with(role)) return false;
    return true;
  };
  const auto keep = [&](std::string const& user, std::string bytes) { (blinded(user) ? seen.bytes : seen.unblinded).push_back(std::move(bytes)); };
  std::int64_t keys = 0;
  const auto act = [&](std::string const& user, std::string const& command, Json data = Json::object(), std::string const& reason = "") {
    const std::string answer =
        trial.line(Trial::question(user, command, std::move(data), reason, fmt::format("k{}", ++keys)).dump());
    keep(user, answer);
    return Json::parse(answer);
  };
  const auto look = [&](std::string const& user, std::string const& name, Json data = Json::object()) {
    const std::string answer = trial.line(Trial::question(user, name, std::move(data), "", "").dump());
    keep(user, answer);
    return Json::parse(answer);
  };

  const Json lot = act("preparer_s1", "label_kits", {{"lot", "lot-1"}, {"expires", "2026-01-01"}, {"kits_per_arm", 3}});
  Json kits = lot["events"][0]["data"]["kits"];
  for (std::string const site : {"s1", "s2", "s3"}) {
    Json mine = Json::array();
    for (std::size_t i = 0; i < 3; ++i) mine.push_back(kits[(site[1] - '1') * 3 + i]);
    act("preparer_s1", "move_kits", {{"step", "shipped"}, {"to", site}, {"kits", mine}});
    act("coordinator_" + site, "move_kits", {{"step", "received"}, {"kits", mine}});
  }
  std::vector<std::string> who;
  for (int i = 0; i < 9; ++i) {
    const std::string site = fmt::format("s{}", i % 3 + 1);
    const std::string one = trial.enrol(site);
    trial.screen(one, 100 + 17 * i);
    const Json back = look("investigator_" + site, "read_back", {{"participant", one}});
    act("investigator_" + site, "randomise", {{"participant", one}, {"confirm", back["shown"]["confirm"]}});
    act("coordinator_" + site, "dispense_kit", {{"participant", one}, {"visit", "baseline"}});  // some are refused: no kit of the arm
    trial.visit(one, "baseline", trial.today());
    act("coordinator_" + site, "record", {{"record", {{"participant", one}, {"form", "vitals"}, {"visit", "baseline"}}}, {"revision", 0}, {"values", values({{"weight", fmt::format("{}", 55 + i)}})}});
    act("preparer_" + site, "prepare_dose", {{"participant", one}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-12-31"}});
    act("preparer_" + site + "_2", "confirm_dose", {{"dose", fmt::format("dose-{}", i + 1)}});
    act("preparer_" + site, "move_dose", {{"dose", fmt::format("dose-{}", i + 1)}, {"step", "released"}});
    act("coordinator_" + site, "move_dose", {{"dose", fmt::format("dose-{}", i + 1)}, {"step", "received"}});
    act("coordinator_" + site, "move_dose", {{"dose", fmt::format("dose-{}", i + 1)}, {"step", "given"}});
    trial.clock.advance(std::chrono::hours(30));
    who.push_back(one);
  }
  // One participant is unblinded: the physician learns an arm, and nobody else anything.
  act("investigator_s1", "request_unblinding", {{"participant", who[0]}}, "overdose");
  const std::string told = trial.line(Trial::question("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "overdose", "unblind").dump());
  seen.unblinded.push_back(told);

  for (std::string const& word : conduct::role_words()) {
    const conduct::Role role = conduct::to_role(word).value();
    const std::string user = conduct::works_at_site(role) ? word + "_s2" : word;
    for (conduct::Permission const& line : conduct::permissions())
      if (!line.acts && line.name != "read_back" && has(line.roles, role))
        look(user, std::string(line.name), line.name == "participant" ? Json{{"participant", who[1]}} : Json::object());
    if (has(conduct::permission("audit")->roles, role)) look(user, "audit");
    if (has(conduct::permission("extract")->roles, role)) act(user, "extract");
  }
  act("data_manager", "extract", {{"arms", "dummy"}});
  act("committee", "extract", {{"arms", "real"}});
  // The log as it lies on the disk, and its length.
  for (conduct::TrialEvent const& event : trial.events()) seen.bytes.push_back(conduct::encoded_event(event));

  // What a careless program might have done.
  const std::string arm = Json::parse(told)["shown"]["unblinded"]["arm"];
  switch (leak) {
    case Leak::none:
      break;
    case Leak::kit_order: {  // the packager's list in the order of arms
      std::string order;
      std::vector<std::pair<std::string, std::string>> labels;
      for (Json const& label : lot["shown"]["labels"]) labels.emplace_back(label["arm"], label["kit"]);
      std::ranges::sort(labels);
      for (auto const& [of, kit] : labels) order += kit + " ";
      seen.bytes.push_back(order);
      break;
    }
    case Leak::file_name:
      seen.bytes.push_back("report_" + arm + ".pdf");
      break;
    case Leak::log_line:
      seen.bytes.push_back(std::string(arm.size(), '.'));  // the length of a line is enough
      break;
    case Leak::extra_event:
      if (arm != "placebo") seen.bytes.push_back("dose prepared");
      break;
  }
  return seen;
}

std::vector<std::vector<std::int32_t>> exchanges() {
  std::vector<std::vector<std::int32_t>> all;
  std::vector<std::int32_t> arms{0, 1, 2};
  while (std::next_permutation(arms.begin(), arms.end())) all.push_back(arms);
  return all;  // five that are not the identity
}

TEST(C21_Blinding, TwentyExchangesOfArmsChangeNoByteThatABlindedRoleGets) {
  std::size_t pairs = 0, told = 0;
  for (std::string const seed : {"first", "second", "third", "fourth"}) {
    const Seen plain = run({}, seed);
    EXPECT_GT(plain.bytes.size(), 300u);
    for (auto const& exchanged : exchanges()) {
      const Seen other = run(exchanged, seed);
      ASSERT_EQ(plain.bytes.size(), other.bytes.size()) << seed;
      for (std::size_t i = 0; i < plain.bytes.size(); ++i)
        ASSERT_EQ(plain.bytes[i], other.bytes[i]) << seed << ", piece " << i;
      told += plain.unblinded != other.unblinded;  // the worlds are not the same one
      ++pairs;
    }
  }
  EXPECT_EQ(pairs, 20u);
  EXPECT_EQ(told, 20u);
}

TEST(C21_Blinding, APlantedLeakIsFound) {
  for (const Leak leak : {Leak::kit_order, Leak::file_name, Leak::log_line, Leak::extra_event}) {
    const Seen plain = run({}, "first", leak);
    std::size_t found = 0;
    for (auto const& exchanged : exchanges()) found += plain.bytes != run(exchanged, "first", leak).bytes;
    EXPECT_GT(found, 0u) << int(leak);
  }
}

// F08: marker arms, looked for in everything that a blinded role gets.
TEST(C21_Blinding, NoNameOfAnArmStandsInWhatBlindedRolesGet) {
  Trial trial;
  const std::string who = trial.randomised();
  const Json status = trial.view("coordinator_s1", "status");
  for (std::string const& word : conduct::role_words()) {
    const conduct::Role role = conduct::to_role(word).value();
    if (conduct::may_be_unblinded(role)) continue;
    const std::string user = conduct::works_at_site(role) ? word + "_s1" : word;
    for (conduct::Permission const& line : conduct::permissions())
      if (!line.acts && has(line.roles, role)) {
        const Json seen = trial.view(user, std::string(line.name), line.name == "participant" || line.name == "read_back" ? Json{{"participant", who}} : Json::object());
        for (std::string_view arm : {"\"placebo\"", "\"low\"", "\"high\"", "Placebo", "Low dose", "High dose"})
          EXPECT_EQ(seen.dump().find(arm), std::string::npos) << line.name << " as " << word;
      }
  }
}

// C24: after one participant is unblinded, those of the same site and the same time stay as they were.
TEST(C24_Unblinding, OpensOneParticipantAlone) {
  const auto others = [](std::vector<std::int32_t> const& exchanged, bool unblind) {
    Options options;
    options.exchanged = exchanged;
    Trial trial(options);
    std::vector<std::string> who;
    for (int i = 0; i < 6; ++i) who.push_back(trial.randomised("s1", 100 + 20 * i));
    if (unblind) {
      trial.done("investigator_s1", "request_unblinding", {{"participant", who[2]}}, "reaction");
      trial.done("investigator_s1", "confirm_unblinding", {{"request", "u-1"}}, "reaction");
    }
    std::string seen;
    for (std::string const& one : who)
      if (one != who[2]) seen += trial.view("investigator_s1", "participant", {{"participant", one}}).dump();
    return seen;
  };
  const std::string plain = others({}, true);
  for (auto const& exchanged : exchanges()) EXPECT_EQ(others(exchanged, true), plain);
}

}  // namespace
}  // namespace equipoise::conducted
