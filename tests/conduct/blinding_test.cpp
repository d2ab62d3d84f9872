// Blinding as non-interference: two worlds that differ only by an exchange of arms give every blinded role the same bytes.

#include "equipoise/conduct/roles.h"
#include "tests/conduct/blinded_course.h"

namespace equipoise::conducted {
namespace {

/// What blinded people got of a trial, in order: answers, views, extracts; and the log itself.
struct Seen {
  std::vector<std::string> bytes;
  std::vector<std::string> unblinded;  ///< what the others got: it must differ, or the worlds are the same world
};

/// leak  planted
Seen run(std::vector<std::int32_t> const& exchanged, std::string const& seed, Leak leak = Leak::none) {
  Options options;
  options.seed = seed, options.exchanged = exchanged;
  Trial trial(options);
  Seen seen;
  std::int64_t keys = 0;
  const auto answered = [&](std::string const& user, std::string answer, bool tells) {
    (tells || !is_blinded(user) ? seen.unblinded : seen.bytes).push_back(answer);
    return Json::parse(answer);
  };
  const Asking ask{
      .act =
          [&](std::string const& user, std::string const& command, Json data, std::string const& reason) {
            const Json question = Trial::question(user, command, std::move(data), reason, fmt::format("k{}", ++keys));
            return answered(user, trial.line(question.dump()), command == "confirm_unblinding");
          },
      .look =
          [&](std::string const& user, std::string const& view, Json data) {
            return answered(user, trial.line(Trial::question(user, view, std::move(data), "", "").dump()), false);
          },
      .wait = [&](std::chrono::milliseconds by) { trial.clock.advance(by); },
      .today = [&] { return trial.today(); }};
  const Course course = conduct_course(ask);
  // The log as it lies on the disk, and its length.
  for (conduct::TrialEvent const& event : trial.events()) seen.bytes.push_back(conduct::encoded_event(event));
  seen.bytes.push_back(leaked(leak, course));
  return seen;
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
