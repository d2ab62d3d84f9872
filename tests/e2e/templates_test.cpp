// `equipoise new --template`: each template is a protocol that a person can begin with. It passes check, is rehearsed, and its
// own virtual trial, written as a data file, is analysed by the analyses it states.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;

struct Kind {
  const char *name, *scenario, *primary;
};

class Templates : public ::testing::TestWithParam<Kind> {};

TEST_P(Templates, PassesCheckIsRehearsedAndAnalysesItsOwnVirtualTrial) {
  const Kind kind = GetParam();
  const Folder folder;
  const Surroundings here{.folder = folder.path};
  const Ran made = equipoise({"new", "p.toml", "--template", kind.name}, here);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(contents(folder.path / "p.toml"),
            contents(source_dir / "equipoise/cli/templates" / (std::string(kind.name) + ".toml")));

  const Ran checked = equipoise({"check", "p.toml", "--json"}, here);
  ASSERT_EQ(checked.status, 0) << checked.err << checked.out;
  EXPECT_EQ(checked.answer().at("warnings"), json::array()) << "a template warns of nothing";
  EXPECT_EQ(checked.answer().at("not_available"), json::array()) << "a template asks for nothing that this build lacks";

  const Ran rehearsed = equipoise({"simulate", "p.toml", "--replicates", "4", "--output", "rehearsal"}, here);
  ASSERT_EQ(rehearsed.status, 0) << rehearsed.err;
  EXPECT_TRUE(fs::exists(folder.path / "rehearsal/rehearsal.html"));

  ASSERT_EQ(equipoise({"simulate", "p.toml", "--scenario", kind.scenario, "--export", "0", "--output", "one"}, here).status, 0);
  const Ran analysed = equipoise({"analyse", "one/protocol.toml", "--json"}, here);
  ASSERT_EQ(analysed.status, 0) << analysed.err << analysed.out;
  const json results = analysed.answer();
  EXPECT_EQ(results.at("provenance").at("simulated"), true);
  // Every analysis of the protocol has an answer, and none is without a single number.
  std::string text = contents(folder.path / "p.toml");
  std::size_t count = 0;
  for (std::size_t at = text.find("\n[[analysis]]\nid = \""); at != std::string::npos;
       at = text.find("\n[[analysis]]\nid = \"", at + 1)) {
    const std::size_t from = at + std::string_view("\n[[analysis]]\nid = \"").size();
    const std::string id = text.substr(from, text.find('"', from) - from);
    std::size_t numbers = 0;
    for (json const& record : results.at("records")) numbers += record.at("analysis") == id && record.at("value").is_number();
    EXPECT_GT(numbers, 0u) << id;
    ++count;
  }
  EXPECT_GE(count, 4u);
  EXPECT_EQ(results.at("analyses").size(), count);
  EXPECT_EQ(results.at("analyses").at(0).at("id"), kind.primary);
}

INSTANTIATE_TEST_SUITE_P(Each, Templates,
                         ::testing::Values(Kind{"parallel-group", "as-hoped", "a01_score"},
                                           Kind{"dose-ranging", "emax", "a01_marker"},
                                           Kind{"time-to-event", "as-hoped", "a01_test"}));

TEST(NewTemplate, RefusesWhatItDoesNotKnow) {
  const Folder folder;
  const Ran ran = equipoise({"new", "p.toml", "--template", "paralel-group"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "no template is called 'paralel-group': there are parallel-group, dose-ranging and time-to-event\n"
            "  hint: did you mean 'parallel-group'?\n");
  EXPECT_FALSE(fs::exists(folder.path / "p.toml"));
  EXPECT_THAT(equipoise({"new", "--help"}).out, HasSubstr("dose-ranging (placebo and three doses"));
  EXPECT_NE(equipoise({"new", "p.toml", "--template", "dose-ranging", "--data", "x.csv"}, {.folder = folder.path}).status, 0);
}

}  // namespace
}  // namespace equipoise::e2e
